"""A position that was opened by hand, adopted: it gets a stop, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from apps.engine import events
from apps.engine.follow.protection import (
    REPEAT_AFTER_S,
    Step,
    has_confirmed_stop,
    is_due,
    is_stop_crossed,
    place_step,
)
from apps.engine.values.book import ExchangeBook, TrackedPosition
from apps.engine.values.contract import Contract
from apps.engine.values.order import ProtectionKind, Role
from apps.engine.values.position import PositionReport, Side

STOP_PCT = Decimal(5)
"""How far its stop lies from its entry, in percent: as far as a stop of ours may lie by default."""

STOP_CALLS = 3
RETRIED_AFTER_S = 60
"""After so many calls without a stop it is asked for more rarely: nothing is closed for being naked here."""


def foreign_step(
    position: TrackedPosition,
    report: PositionReport,
    seen: ExchangeBook,
    contract: Contract | None,
    now: datetime,
) -> Step:
    """Return what an adopted position needs: nothing beside any stop for all of it, else one of ours.

    The price of its first stop stays. One that the mark has passed is not placed: it would close at once.
    """
    if seen.protections_at is None:
        return (), ()
    if has_confirmed_stop(replace(position, stop=None), seen.protections):
        if position.naked_since is None:
            return (), ()
        position = replace(position, naked_since=None)
        return (events.PositionProtected(symbol=position.symbol, at=now, position=position),), ()

    happened: tuple[events.PositionEvent, ...] = ()
    if position.naked_since is None:
        position = replace(position, naked_since=now, stop_asked_at=None)
        happened = (events.PositionNaked(symbol=position.symbol, at=now, position=position),)
    number, stop = position.stops_asked, position.stop
    if stop is None and contract is not None:
        stop = foreign_stop(report, contract.tick_size)
    after_s = REPEAT_AFTER_S if number < STOP_CALLS else RETRIED_AFTER_S
    position = replace(position, stop=stop)
    if stop is None or is_stop_crossed(position, report) or not is_due(position.stop_asked_at, now, after_s):
        return happened, ()
    position = replace(position, stops_asked=number + 1, stop_asked_at=now)
    placed = place_step(position, ProtectionKind.STOP, Role.STOP, stop, number, now)
    return happened + placed[0], placed[1]


def foreign_stop(report: PositionReport, tick_size: Decimal) -> Decimal:
    """Return STOP_PCT beyond the entry, away from it to the tick; beyond the mark if that has passed it."""
    sign, rounding = (-1, ROUND_FLOOR) if report.side == Side.LONG else (1, ROUND_CEILING)

    def beyond(price: Decimal) -> Decimal:
        ticks = price * (100 + sign * STOP_PCT) / 100 / tick_size
        return ticks.to_integral_value(rounding) * tick_size

    stop, mark = beyond(report.entry_price), report.mark_price
    has_passed = mark is not None and sign * (stop - mark) <= 0
    return beyond(mark) if mark is not None and has_passed else stop
