"""Which statuses mean that something may still happen."""

from __future__ import annotations

from apps.engine.values.order import OrderStatus
from apps.engine.values.position import ProtectionStatus

WAITING_PLAN = (OrderStatus.PLANNED.value, OrderStatus.PENDING_REVIEW.value, OrderStatus.APPROVED.value)
"""A plan of which nothing was sent yet."""

OPEN_ORDER = (
    OrderStatus.SUBMITTING.value,
    OrderStatus.UNKNOWN.value,
    OrderStatus.SUBMITTED.value,
    OrderStatus.PARTIALLY_FILLED.value,
)
"""An order that rests at the exchange, or may."""

RESTING_PROTECTION = (
    ProtectionStatus.PLACING.value,
    ProtectionStatus.ACTIVE.value,
    ProtectionStatus.REPLACING.value,
)
"""A protective order that can still fire."""
