"""The orders room's tables, linked run → plan → order → fills → position."""

from apps.orders.admin.close import CloseForm, CloseRequestAdmin
from apps.orders.admin.order import (
    AccountTransactionAdmin,
    DailyLossResetAdmin,
    EquityPointAdmin,
    ExchangeOrderAdmin,
    FillAdmin,
    RiskDayAdmin,
)
from apps.orders.admin.plan import OrderPlanAdmin, SymbolLockAdmin
from apps.orders.admin.position import PositionAdmin, ProtectionAdmin

__all__ = [
    "AccountTransactionAdmin",
    "CloseForm",
    "CloseRequestAdmin",
    "DailyLossResetAdmin",
    "EquityPointAdmin",
    "ExchangeOrderAdmin",
    "FillAdmin",
    "OrderPlanAdmin",
    "PositionAdmin",
    "ProtectionAdmin",
    "RiskDayAdmin",
    "SymbolLockAdmin",
]
