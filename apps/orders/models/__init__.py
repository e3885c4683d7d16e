"""What is intended, what is at the exchange, and what it earned: every row belongs to one account."""

from apps.orders.models.account import AccountTransaction, DailyLossReset, EquityPoint, RiskDay
from apps.orders.models.close_request import CloseRequest
from apps.orders.models.order import ExchangeOrder, Fill
from apps.orders.models.plan import OrderPlan, OrderPlanQuerySet, SymbolLock
from apps.orders.models.position import Position, PositionQuerySet, Protection

__all__ = [
    "AccountTransaction",
    "CloseRequest",
    "DailyLossReset",
    "EquityPoint",
    "ExchangeOrder",
    "Fill",
    "OrderPlan",
    "OrderPlanQuerySet",
    "Position",
    "PositionQuerySet",
    "Protection",
    "RiskDay",
    "SymbolLock",
]
