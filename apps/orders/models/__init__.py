"""What is intended, what is at the exchange, and what it earned: every row belongs to one account."""

from apps.orders.models.account import AccountTransaction, EquityPoint, RiskDay
from apps.orders.models.order import ExchangeOrder, Fill
from apps.orders.models.plan import OrderPlan, OrderPlanQuerySet, SymbolLock
from apps.orders.models.position import Position, Protection

__all__ = [
    "AccountTransaction",
    "EquityPoint",
    "ExchangeOrder",
    "Fill",
    "OrderPlan",
    "OrderPlanQuerySet",
    "Position",
    "Protection",
    "RiskDay",
    "SymbolLock",
]
