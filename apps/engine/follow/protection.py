"""No position without a confirmed stop: ask for one, and close what stays naked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from apps.engine import events
from apps.engine.follow.action import Action, Close, Protect
from apps.engine.values.book import ExchangeBook, TrackedPosition
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
    report: PositionReport,
    seen: ExchangeBook,
    contract: Contract | None,
    now: datetime,
) -> Step:
    """Return what a position of ours that is still there needs: nothing, a stop, its target, or a close."""
    if position.status == PositionStatus.CLOSING:
        return _close(position, report, contract, now)

    happened: tuple[events.PositionEvent, ...] = ()
    if has_confirmed_stop(position, seen.protections):
        if position.status != PositionStatus.PROTECTED:
            position = replace(position, status=PositionStatus.PROTECTED, naked_since=None)
            happened = (events.PositionProtected(symbol=position.symbol, at=now, position=position),)
        has_target = any(
            _covers(protection, position, ProtectionKind.TARGET) for protection in seen.protections
        )
        number, target = position.targets_asked, position.target
        if target is None or has_target or number >= MAX_TARGET_CALLS:
            return happened, ()
        if not is_due(position.target_asked_at, now):
            return happened, ()
        position = replace(position, targets_asked=number + 1, target_asked_at=now)
        placed = _place(position, ProtectionKind.TARGET, Role.TARGET, target, number, now)
        return happened + placed[0], placed[1]

    if position.status != PositionStatus.NAKED or position.naked_since is None:
        position = replace(position, status=PositionStatus.NAKED, naked_since=now, stop_asked_at=None)
        happened = (events.PositionNaked(symbol=position.symbol, at=now, position=position),)
    if now - (position.naked_since or now) >= timedelta(seconds=NAKED_LIMIT_S):
        closed = _close(replace(position, status=PositionStatus.CLOSING), report, contract, now)
        return happened + closed[0], closed[1]
    number, stop = position.stops_asked, position.stop
    if stop is None or not is_due(position.stop_asked_at, now):
        return happened, ()
    position = replace(position, stops_asked=number + 1, stop_asked_at=now)
    placed = _place(position, ProtectionKind.STOP, Role.STOP, stop, number, now)
    return happened + placed[0], placed[1]


def has_confirmed_stop(position: TrackedPosition, protections: Sequence[ProtectionReport]) -> bool:
    """Whether a stop read back covers the whole position at its price or tighter."""
    sign = 1 if position.side == Side.LONG else -1
    return any(
        _covers(protection, position, ProtectionKind.STOP)
        and (position.stop is None or sign * (protection.trigger_price - position.stop) >= 0)
        for protection in protections
    )


def closing_requests(
    report: PositionReport, contract: Contract | None, key: str, attempt: int
) -> list[OrderRequest]:
    """Return market orders that close `report` whole, none above the contract's market maximum (0: none).

    Of a contract that nobody lists no maximum is known: it is closed in one order.
    """
    most = contract.market_max_volume if contract and contract.market_max_volume > 0 else report.size
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
                leverage=report.leverage,
                client_order_id=client_order_id(Role.CLOSE, key, tranche=len(requests), attempt=attempt),
            )
        )
        left -= size
    return requests


def is_due(asked_at: datetime | None, now: datetime) -> bool:
    """Whether a call last made at `asked_at` is made again: its effect has not been read back in time."""
    return asked_at is None or now - asked_at >= timedelta(seconds=REPEAT_AFTER_S)


def _place(
    position: TrackedPosition,
    kind: ProtectionKind,
    role: Role,
    trigger_price: Decimal,
    number: int,
    now: datetime,
) -> Step:
    """Place a stop or target for the whole position, under an id of its own each time."""
    order_id = client_order_id(role, _key(position), attempt=number)
    happened = events.ProtectionAsked(
        symbol=position.symbol,
        at=now,
        position=position,
        kind=kind,
        trigger_price=trigger_price,
        client_order_id=order_id,
    )
    return (happened,), (Protect(position.symbol, position.side, kind, trigger_price, order_id),)


def _close(
    position: TrackedPosition, report: PositionReport, contract: Contract | None, now: datetime
) -> Step:
    """Close everything that is there, in slices the market takes; again until a read shows none."""
    if not is_due(position.close_asked_at, now):
        return (), ()
    number = position.closes_asked
    position = replace(position, closes_asked=number + 1, close_asked_at=now)
    happened: tuple[events.PositionEvent, ...] = (
        events.EmergencyClose(symbol=position.symbol, at=now, position=position),
    )
    if number >= CLOSES_BEFORE_ALARM and (number - CLOSES_BEFORE_ALARM) % ALARM_EVERY_CLOSES == 0:
        because = f"{position.symbol} {position.side} {report.size} could not be closed {number} times"
        happened += (events.CloseFailing(symbol=position.symbol, at=now, position=position, detail=because),)
    requests = closing_requests(report, contract, _key(position), number)
    return happened, tuple(Close(request) for request in requests)


def _covers(protection: ProtectionReport, position: TrackedPosition, kind: ProtectionKind) -> bool:
    whole = protection.size is None or protection.size >= position.size
    return protection.kind == kind and protection.side == position.side and whole


def _key(position: TrackedPosition) -> str:
    """What its protective and closing orders are named after: this position, of this decision."""
    return f"{position.decision_key}|{position.symbol}|{position.side}|{position.opened_at.isoformat()}"
