"""Orders and positions: rows as the engine's values, and back."""

from __future__ import annotations

from typing import Any

from apps.engine.values.book import TrackedOrder, TrackedPosition
from apps.engine.values.order import OrderStatus
from apps.engine.values.position import PositionStatus
from apps.engine.values.side import Side
from apps.engine.values.timeframe import Timeframe
from apps.orders.models import ExchangeOrder, Position

_SAME = (
    "client_order_id",
    "decision_key",
    "profile",
    "symbol",
    "attempt",
    "price",
    "size",
    "sent_at",
    "send_before",
    "expires_at",
    "exchange_order_id",
    "filled",
    "average_price",
    "cancel_asked_at",
    "looked_up",
    "absent_reads",
)
"""What an order's row and its value call by the same name and type."""

_SAME_POSITION = (
    "symbol",
    "decision_key",
    "size",
    "entry_price",
    "opened_at",
    "naked_since",
    "stops_asked",
    "stop_asked_at",
    "targets_asked",
    "target_asked_at",
    "closes_asked",
    "close_asked_at",
    "flat_since",
)


def order_value(row: ExchangeOrder) -> TrackedOrder:
    return TrackedOrder(
        **{name: getattr(row, name) for name in _SAME},
        side=Side(row.side),
        timeframes=tuple(map(Timeframe, row.timeframes)),
        status=OrderStatus(row.status),
        stop=row.stop_price,
        target=row.target_price,
    )


def order_columns(order: TrackedOrder) -> dict[str, Any]:
    return {
        **{name: getattr(order, name) for name in _SAME},
        "side": order.side.value,
        "timeframes": [str(timeframe) for timeframe in order.timeframes],
        "status": order.status.value,
        "stop_price": order.stop,
        "target_price": order.target,
    }


def position_value(row: Position) -> TrackedPosition:
    return TrackedPosition(
        **{name: getattr(row, name) for name in _SAME_POSITION},
        side=Side(row.side),
        status=PositionStatus(row.status),
        stop=row.stop_price,
        target=row.target_price,
    )


def position_columns(position: TrackedPosition) -> dict[str, Any]:
    return {
        **{name: getattr(position, name) for name in _SAME_POSITION},
        "side": position.side.value,
        "status": position.status.value,
        "stop_price": position.stop,
        "target_price": position.target,
    }
