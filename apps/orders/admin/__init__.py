"""The orders room's tables, linked run → plan → order → fills → position."""

from apps.orders.admin.order import (
    AccountTransactionAdmin,
    EquityPointAdmin,
    ExchangeOrderAdmin,
    FillAdmin,
    RiskDayAdmin,
)
from apps.orders.admin.plan import OrderPlanAdmin, SymbolLockAdmin
from apps.orders.admin.position import PositionAdmin, ProtectionAdmin

__all__ = [
    "AccountTransactionAdmin",
    "EquityPointAdmin",
    "ExchangeOrderAdmin",
    "FillAdmin",
    "OrderPlanAdmin",
    "PositionAdmin",
    "ProtectionAdmin",
    "RiskDayAdmin",
    "SymbolLockAdmin",
]
