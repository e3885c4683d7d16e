"""Plans, orders and positions: rows as the engine's values and back, numbers as columns keep them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any, TypeVar

import structlog
from django.db.models import DecimalField, Model
from pydantic import TypeAdapter, ValidationError

from apps.engine.values.book import ExchangeBook, TrackedOrder, TrackedPosition
from apps.engine.values.entry import NO_ENTRY_RULES, EntryRules
from apps.engine.values.exit import NO_EXIT_RULES, ExitRules
from apps.engine.values.order import Fill as FillValue
from apps.engine.values.order import OrderReport, OrderStatus, ProtectionReport
from apps.engine.values.plan import OrderPlan as Plan
from apps.engine.values.position import PositionReport, PositionStatus, Side
from apps.engine.values.timeframe import Timeframe
from apps.orders.models import ExchangeOrder, Fill, OrderPlan, Position, Protection

log = structlog.get_logger("positions")

EXACT = Context(prec=200, rounding=ROUND_HALF_UP, traps=[InvalidOperation])
"""Wider than any number that is read or stored: what it adds or rounds loses nothing else."""

Number = TypeVar("Number", Decimal, Decimal | None)
Rules = TypeVar("Rules", EntryRules, ExitRules)
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
    "tranche",
    "tranches",
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
    "fallback_before",
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
    "first_targets_asked",
    "first_target_asked_at",
    "recalculated_at",
    "close_reason",
)

_PLAN = TypeAdapter(Plan)
_EXITS = TypeAdapter(ExitRules)
_ENTRY = TypeAdapter(EntryRules)
_RISK = ("sizing", "limits", "expected_r_net")
_CONTEXT = ("candle_open_at", "quote", "zone")
_EXECUTION = tuple(name for name in Plan.__dataclass_fields__ if name not in _RISK + _CONTEXT)


def round_to_column(model: type[Model], column: str, value: Number) -> Number:
    """Return `value` rounded to its column's decimal places, half away from zero as `numeric` does.

    None stays None.
    """
    field = model._meta.get_field(column)
    assert isinstance(field, DecimalField), f"{model.__name__}.{column} is no decimal column"
    return None if value is None else value.quantize(Decimal(1).scaleb(-field.decimal_places), context=EXACT)


def round_report(report: Report) -> Report:
    """Return `report` with its numbers rounded as their columns round them.

    The exchange sends finer ones, and only numbers of one grain can be compared: else a book that was just
    written would differ from what it was written from, at every read.
    """
    model, names = _NUMBERS[type(report)]
    numbers = {name: round_to_column(model, name, getattr(report, name)) for name in names}
    if isinstance(report, OrderReport) and not numbers["filled"]:
        numbers["average_price"] = Decimal(0)  # of nothing: the row could not say otherwise
    return replace(report, **numbers)


def round_book(book: ExchangeBook) -> ExchangeBook:
    """Return `book` with every report rounded as our columns keep it."""
    answers = book.looked_up.items()
    return replace(
        book,
        orders=tuple(map(round_report, book.orders)),
        looked_up={key: None if report is None else round_report(report) for key, report in answers},
        positions=tuple(map(round_report, book.positions)),
        protections=tuple(map(round_report, book.protections)),
        fills=tuple(map(round_report, book.fills)),
    )


def order_value(row: ExchangeOrder) -> TrackedOrder:
    return TrackedOrder(
        **{name: getattr(row, name) for name in _SAME},
        side=Side(row.side),
        timeframes=tuple(map(Timeframe, row.timeframes)),
        status=OrderStatus(row.status),
        stop=row.stop_price,
        target=row.target_price,
        exits=_rules(_EXITS, row.exit_json, NO_EXIT_RULES, row),
        entry_rules=_rules(_ENTRY, row.entry_json, NO_ENTRY_RULES, row),
    )


def order_columns(order: TrackedOrder) -> dict[str, Any]:
    return {
        **{name: getattr(order, name) for name in _SAME},
        "side": order.side,
        "timeframes": [str(timeframe) for timeframe in order.timeframes],
        "status": order.status,
        "stop_price": order.stop,
        "target_price": order.target,
        "exit_json": _EXITS.dump_python(order.exits, mode="json"),
        "entry_json": _ENTRY.dump_python(order.entry_rules, mode="json"),
    }


def position_value(row: Position) -> TrackedPosition:
    return TrackedPosition(
        **{name: getattr(row, name) for name in _SAME_POSITION},
        side=Side(row.side),
        status=PositionStatus(row.status),
        stop=row.stop_price,
        target=row.target_price,
        next_stop=row.next_stop_price,
        exits=_rules(_EXITS, row.exit_json, NO_EXIT_RULES, row),
    )


def position_columns(position: TrackedPosition) -> dict[str, Any]:
    return {
        **{name: getattr(position, name) for name in _SAME_POSITION},
        "side": position.side,
        "status": position.status,
        "stop_price": position.stop,
        "target_price": position.target,
        "next_stop_price": position.next_stop,
        "exit_json": _EXITS.dump_python(position.exits, mode="json"),
    }


def _rules(rules: TypeAdapter[Rules], stored: Any, none: Rules, row: ExchangeOrder | Position) -> Rules:
    """Return `none` for what was stored before there were any, or is not ours.

    Also, logged, for what another version wrote: its stop is a column, and no other book waits for it.
    """
    if not stored:
        return none
    try:
        return rules.validate_python(stored)
    except ValidationError as fault:
        effect = "it keeps its stop and target, and ends without its other rules"
        log.error("rules_unreadable", symbol=row.symbol, row=str(row), error=str(fault), effect=effect)
        return none


def plan_value(row: OrderPlan) -> Plan:
    """Return the plan exactly as it was claimed."""
    stored = {name: row.context_json[name] for name in _CONTEXT} | row.risk_json | row.exec_json
    return _PLAN.validate_python(stored)


def plan_columns(plan: Plan, context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of the plan's row; `context` joins what it looked at."""
    plain = _PLAN.dump_python(plan, mode="json")
    return {
        "symbol": plan.symbol,
        "side": plan.side,
        "decision_key": plan.decision_key,
        "client_order_id": plan.client_order_id,
        "plan_time": plan.created_at,
        "profile": plan.profile,
        "digest": plan.digest,
        "timeframe": plan.timeframe,
        "entry_price": plan.entry,
        "stop_price": plan.stop,
        "target_price": plan.target,
        "size": plan.size,
        "leverage": plan.leverage,
        "risk_usdt": plan.sizing.risk,
        "margin_usdt": plan.sizing.margin,
        "notional_usdt": plan.sizing.notional,
        "zone_expires_at": plan.zone.expires_at,
        "risk_json": {name: plain[name] for name in _RISK},
        "context_json": {**context, **{name: plain[name] for name in _CONTEXT}},
        "exec_json": {name: plain[name] for name in _EXECUTION},
    }
