"""No position without a confirmed stop: ask for one, and close what stays naked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from apps.engine import events
from apps.engine.follow.action import Action, Close, Protect
from apps.engine.follow.holding import holding
from apps.engine.values.book import CloseRequest, ExchangeBook, TrackedPosition
from apps.engine.values.contract import Contract
from apps.engine.values.order import (
    OrderRequest,
    ProtectionKind,
    ProtectionReport,
    Role,
    TimeInForce,
    client_order_id,
)
from apps.engine.values.position import PositionReport, PositionStatus, Side

NAKED_LIMIT_S = 5
"""A position whose stop is not read back by then is closed at market."""

REPEAT_AFTER_S = 2
"""A call whose effect is not read back by then is repeated."""

CLOSES_BEFORE_ALARM = 3
ALARM_EVERY_CLOSES = 30
"""At one close each 2 s: an alarm each minute."""

MAX_TARGET_CALLS = 3
"""A target the exchange will not take is done without; the stop is what matters."""

Step = tuple[tuple[events.PositionEvent, ...], tuple[Action, ...]]


def protection_step(
    position: TrackedPosition,
    report: PositionReport | None,
    seen: ExchangeBook,
    contract: Contract | None,
    now: datetime,
) -> Step:
    """Return what a position of ours needs: nothing, a stop, its target, or a close.

    `report` None: it is not shown. By its trades it may be there all the same, and then gets its stop.
    """
    if position.status == PositionStatus.CLOSING:
        return ((), ()) if report is None else close_step(position, report, contract, now)
    if report is None and seen.positions_at is not None:
        trades = holding(seen, position.side, position.opened_at)
        if trades is None or not trades.size:
            return (), ()

    happened: tuple[events.PositionEvent, ...] = ()
    if has_confirmed_stop(position, seen.protections):
        if position.status != PositionStatus.PROTECTED:
            position = replace(position, status=PositionStatus.PROTECTED, naked_since=None)
            happened = (events.PositionProtected(symbol=position.symbol, at=now, position=position),)
        placed = _target_step(position, seen.protections, now)
        return happened + placed[0], placed[1]

    is_read = seen.protections_at is not None
    if is_read and (position.status != PositionStatus.NAKED or position.naked_since is None):
        position = replace(position, status=PositionStatus.NAKED, naked_since=now, stop_asked_at=None)
        happened = (events.PositionNaked(symbol=position.symbol, at=now, position=position),)
    naked_s = (now - (position.naked_since or now)).total_seconds()
    if report is not None and is_read and (naked_s >= NAKED_LIMIT_S or is_stop_crossed(position, report)):
        closed = close_step(replace(position, status=PositionStatus.CLOSING), report, contract, now)
        return happened + closed[0], closed[1]
    number, stop = position.stops_asked, position.stop
    asked_unread = not is_read and (position.status != PositionStatus.NAKED or position.stop_asked_at)
    if stop is None or asked_unread or not is_due(position.stop_asked_at, now):
        return happened, ()
    position = replace(position, stops_asked=number + 1, stop_asked_at=now)
    placed = place_step(position, ProtectionKind.STOP, Role.STOP, stop, number, now)
    return happened + placed[0], placed[1]


def has_confirmed_stop(position: TrackedPosition, protections: Sequence[ProtectionReport]) -> bool:
    """Whether a stop read back covers the whole position at its price or tighter."""
    sign = 1 if position.side == Side.LONG else -1
    return any(
        covers(protection, position, ProtectionKind.STOP)
        and (position.stop is None or sign * (protection.trigger_price - position.stop) >= 0)
        for protection in protections
    )


def is_stop_crossed(position: TrackedPosition, report: PositionReport) -> bool:
    """Whether the mark is at or beyond the stop: one placed now would come too late."""
    if position.stop is None or report.mark_price is None:
        return False
    sign = 1 if position.side == Side.LONG else -1
    return sign * (report.mark_price - position.stop) <= 0


def closing_requests(
    report: PositionReport, contract: Contract | None, key: str, attempt: int
) -> list[OrderRequest]:
    """Return market orders that close `report` whole, none above the contract's market maximum.

    Of a contract that nobody lists no maximum is known: it is closed in one order.
    """
    most = report.size if contract is None else contract.market_maximum
    requests: list[OrderRequest] = []
    left = report.size
    while left > 0:
        size = min(left, most)
        requests.append(
            OrderRequest(
                symbol=report.symbol,
                side=report.side,
                opens=False,
                size=size,
                price=None,
                time_in_force=TimeInForce.IOC,
                client_order_id=client_order_id(Role.CLOSE, key, tranche=len(requests), attempt=attempt),
            )
        )
        left -= size
    return requests


def close_step(
    position: TrackedPosition,
    report: PositionReport,
    contract: Contract | None,
    now: datetime,
    request: CloseRequest | None = None,
) -> Step:
    """Close everything that is there, in slices the market takes; again until a read shows none.

    It is an emergency unless a person made a `request` or a rule of its own closes it; one that keeps failing
    is an alarm either way.
    """
    if not is_due(position.close_asked_at, now):
        return (), ()
    number = position.closes_asked
    position = replace(position, closes_asked=number + 1, close_asked_at=now)
    kind: type[events.PositionEvent] = events.CloseAsked if position.close_reason else events.EmergencyClose
    detail = position.close_reason
    if request is not None:
        kind, detail = events.RequestedClose, f"{request.asked_by}: {request.reason}"
    happened: tuple[events.PositionEvent, ...] = (
        kind(symbol=position.symbol, at=now, position=position, detail=detail),
    )
    if number >= CLOSES_BEFORE_ALARM and (number - CLOSES_BEFORE_ALARM) % ALARM_EVERY_CLOSES == 0:
        because = f"{position.symbol} {position.side} {report.size} could not be closed {number} times"
        happened += (events.CloseFailing(symbol=position.symbol, at=now, position=position, detail=because),)
    requests = closing_requests(report, contract, _key(position), number)
    return happened, tuple(map(Close, requests))


def is_due(asked_at: datetime | None, now: datetime, after_s: float = REPEAT_AFTER_S) -> bool:
    """Whether a call last made at `asked_at` is made again: its effect has not been read back in time."""
    return asked_at is None or now - asked_at >= timedelta(seconds=after_s)


def place_step(
    position: TrackedPosition,
    kind: ProtectionKind,
    role: Role,
    trigger_price: Decimal,
    number: int,
    now: datetime,
    *,
    size: Decimal | None = None,
) -> Step:
    """Place a stop or target for `size` contracts, None for the whole position, as the `number`-th of those:
    under an id of its own each time."""
    order_id = client_order_id(role, _key(position), tranche=0 if size is None else 1, attempt=number)
    happened = events.ProtectionAsked(
        symbol=position.symbol,
        at=now,
        position=position,
        kind=kind,
        trigger_price=trigger_price,
        client_order_id=order_id,
        size=size,
    )
    return (happened,), (Protect(position.symbol, position.side, kind, trigger_price, order_id, size),)


def is_first_target(protection: ProtectionReport, position: TrackedPosition) -> bool:
    """Whether it closes a part of the position before its target: never the whole, and never a stop."""
    return (
        protection.kind == ProtectionKind.TARGET
        and protection.side == position.side
        and protection.trigger_price == position.exits.first_target
        and protection.size is not None
    )


def covers(protection: ProtectionReport, position: TrackedPosition, kind: ProtectionKind) -> bool:
    """Whether it is a stop (or target) for all that is held."""
    whole = protection.size is None or protection.size >= position.size
    return protection.kind == kind and protection.side == position.side and whole


def _target_step(position: TrackedPosition, protections: Sequence[ProtectionReport], now: datetime) -> Step:
    """Place the target of a protected position, unless it rests or was asked for just now or too often."""
    rests = any(
        covers(protection, position, ProtectionKind.TARGET) and not is_first_target(protection, position)
        for protection in protections
    )
    number, target = position.targets_asked, position.target
    if target is None or rests or number >= MAX_TARGET_CALLS or not is_due(position.target_asked_at, now):
        return (), ()
    position = replace(position, targets_asked=number + 1, target_asked_at=now)
    return place_step(position, ProtectionKind.TARGET, Role.TARGET, target, number, now)


def _key(position: TrackedPosition) -> str:
    """What its protective and closing orders are named after: this position, of this decision."""
    return f"{position.decision_key}|{position.symbol}|{position.side}|{position.opened_at.isoformat()}"
