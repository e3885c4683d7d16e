"""Orders and positions: rows as the engine's values, and back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import Model

from apps.db.numeric import round_to_column
from apps.engine.values.book import TrackedOrder, TrackedPosition
from apps.engine.values.order import Fill as FillValue
from apps.engine.values.order import OrderReport, OrderStatus, ProtectionReport
from apps.engine.values.position import PositionReport, PositionStatus, Side
from apps.engine.values.timeframe import Timeframe
from apps.orders.models import ExchangeOrder, Fill, Position, Protection

Report = TypeVar("Report", OrderReport, PositionReport, FillValue, ProtectionReport)

_NUMBERS: dict[type, tuple[type[Model], tuple[str, ...]]] = {
    OrderReport: (ExchangeOrder, ("price", "size", "filled", "average_price")),
    PositionReport: (Position, ("size", "entry_price")),
    FillValue: (Fill, ("price", "size", "fee", "realised")),
    ProtectionReport: (Protection, ("trigger_price", "size")),
}
"""Which of a report's numbers our columns keep, under the same name."""

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


def round_report(report: Report) -> Report:
    """`report` with its numbers rounded as their columns round them.

    The exchange sends finer ones, and only numbers of one grain can be compared: else a book that was just
    written would differ from what it was written from, at every read.
    """
    model, names = _NUMBERS[type(report)]
    numbers = {name: round_to_column(model, name, getattr(report, name)) for name in names}
    if isinstance(report, OrderReport) and not numbers["filled"]:
        numbers["average_price"] = Decimal(0)  # of nothing: the row could not say otherwise
    return replace(report, **numbers)


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
