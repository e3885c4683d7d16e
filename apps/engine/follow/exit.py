"""How a protected position is left besides at its stop and target: half of it earlier, behind a stop that
follows, and whole when its time is over.

A stop is only ever tightened: the tighter one is asked for, read back, and only then the looser one is taken
away. Whatever fails on the way, what was read back before stays in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from apps.engine import events
from apps.engine.follow.action import Action, Unprotect
from apps.engine.follow.holding import holding
from apps.engine.follow.orders import LIVE, tranches_of
from apps.engine.follow.protection import (
    Step,
    close_step,
    has_confirmed_stop,
    is_due,
    is_first_target,
    place_step,
)
from apps.engine.values.book import ExchangeBook, SymbolBook, TrackedOrder, TrackedPosition
from apps.engine.values.contract import Contract
from apps.engine.values.exit import RECALCULATE_EACH_S
from apps.engine.values.order import ProtectionKind, ProtectionReport, Role
from apps.engine.values.position import PositionReport, PositionStatus, Side
from apps.engine.values.tick import plain, round_down, round_toward_loss

NEAR_TARGET_RATIO = Decimal("0.003")
"""Of the target: a stop that follows so near to it would only spoil it."""

MAX_FIRST_TARGET_CALLS = 12
"""A first target the exchange will not take is done without; one that grows fill by fill asks again."""

TIME_STOP = "time stop"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a position is on its way, in contracts.

    `half` of what was ever opened goes at the first target (0: nothing does), `closed` of it is gone, and
    `resting` is what rests at the first target now.
    """

    half: Decimal
    closed: Decimal
    resting: Decimal

    @property
    def half_is_closed(self) -> bool:
        return self.half > 0 and self.closed >= self.half and not self.resting

    @property
    def half_is_partly_closed(self) -> bool:
        return 0 < self.closed < self.half


def exit_step(
    book: SymbolBook,
    position: TrackedPosition,
    report: PositionReport | None,
    seen: ExchangeBook,
    contract: Contract | None,
    now: datetime,
) -> Step:
    """Return what is due of a position whose stop is confirmed; nothing while its list does not show it.

    Of a contract that nobody lists the steps of price and size are not known: only its time ends.
    """
    if position.status != PositionStatus.PROTECTED or report is None:
        return (), ()
    max_holding_s = position.exits.max_holding_s
    if max_holding_s is not None and now >= position.opened_at + timedelta(seconds=max_holding_s):
        position = replace(position, status=PositionStatus.CLOSING, close_reason=TIME_STOP)
        over = events.TimeStop(symbol=position.symbol, at=now, position=position)
        closed = close_step(position, report, contract, now)
        return (over, *closed[0]), closed[1]
    if contract is None or seen.protections_at is None or not has_confirmed_stop(position, seen.protections):
        return (), ()

    progress = exit_progress(book, position, seen.protections, contract)
    happened, actions = _first_target_step(position, progress, seen, contract, now)
    position = happened[-1].position if happened else position
    moved, moving = _stop_step(book, position, report, progress, seen.protections, contract, now)
    return happened + moved, actions + moving


def leaving(book: SymbolBook, order: TrackedOrder, seen: ExchangeBook) -> str:
    """Return how the position of the order's decision is being left; "" where that has not begun.

    From then on nothing of the decision may open any more: what fills after its stop, its first target or a
    close would be a new trade that nobody decided. Nor may a tranche that lies beyond a stop that has moved:
    the market reaches it only through the stop. That less is held than was filled may be a list that is late:
    the trades must say so too.
    """
    opened = filled_size(book, order)
    position = next((each for each in book.positions if each.side == order.side), None)
    if position is None:
        return "its position is closed" if opened else ""
    if position.status == PositionStatus.CLOSING:
        return "its position is closing"
    if position.size < opened:
        trades = holding(seen, position.side, position.opened_at)
        if trades is not None and trades.size < opened:
            return "a part of its position is closed"
    sign = _sign(position.side)
    stops = [stop for stop in (position.stop, position.next_stop) if stop is not None]
    if any(sign * (order.price - stop) <= 0 for stop in stops):
        return "its position's stop is at its price or beyond"
    return ""


def holds_less_than_filled(book: SymbolBook, rest: TrackedOrder | None) -> bool:
    """Whether a side where an entry is alive, or the `rest` of one waits to be sent, holds less than its
    decision filled: its trades say why."""
    held = {position.side: position.size for position in book.positions}
    return any(
        (order.status in LIVE or order is rest)
        and order.side in held
        and held[order.side] < filled_size(book, order)
        for order in book.orders
    )


def filled_size(book: SymbolBook, order: TrackedOrder) -> Decimal:
    """Return what all tranches of the order's decision filled, in contracts."""
    return sum((each.filled for each in tranches_of(book, order)), Decimal(0))


def exit_due_at(book: SymbolBook) -> datetime | None:
    """Return when a position must be looked at though nothing happens to it; None: never."""
    due = []
    for position in book.positions:
        rules = position.exits
        if position.status != PositionStatus.PROTECTED:
            continue
        if rules.max_holding_s is not None:
            due.append(position.opened_at + timedelta(seconds=rules.max_holding_s))
        if _may_move_stop(position, opened_size(book, position) - position.size):
            due.append(recalculated_next(position))
    return min(due, default=None)


def exit_progress(
    book: SymbolBook, position: TrackedPosition, protections: Iterable[ProtectionReport], contract: Contract
) -> Progress:
    """Return it from the fills of what opened the position, and the first targets that rest."""
    opened = opened_size(book, position)
    resting = sum((each.size or Decimal(0) for each in _first_targets(position, protections)), Decimal(0))
    half = first_half(opened, contract) if position.exits.first_target is not None else Decimal(0)
    return Progress(half, max(opened - position.size, Decimal(0)), resting)


def first_half(size: Decimal, contract: Contract) -> Decimal:
    """Return how many of `size` contracts go at the first target: half, down to the contract's step.

    0, so that all go at the target, where half is less than its least order: of one contract for example.
    """
    half = round_down(size / 2, contract.volume_step)
    return half if half >= contract.min_volume else Decimal(0)


def opened_size(book: SymbolBook, position: TrackedPosition) -> Decimal:
    """Return what the orders of the position's decision filled in all, in contracts."""
    orders = (order for order in book.orders if order.side == position.side)
    return sum((order.filled for order in orders if order.decision_key == position.decision_key), Decimal(0))


def followed_stop(
    position: TrackedPosition, mark: Decimal, tick: Decimal, *, half_is_closed: bool
) -> Decimal | None:
    """Return the tightest stop that the position's rules allow at `mark`, on a tick; None where none is
    tighter than the one in force, or the mark is beyond it already.

    Break-even is rounded so that it pays the fees, a stop behind the mark away from it.
    """
    rules, side, stop = position.exits, position.side, position.stop
    if stop is None or not rules.moves_stop:
        return None
    sign, stops = _sign(side), []
    if half_is_closed:
        against = Side.SHORT if side == Side.LONG else Side.LONG
        stops.append(round_toward_loss(break_even(position), tick, against))
    if rules.trail_distance is not None:
        stops.append(round_toward_loss(mark - sign * rules.trail_distance, tick, side))
    tighter = [price for price in stops if sign * (price - stop) > 0 and sign * (mark - price) > 0]
    return max(tighter, key=lambda price: sign * price, default=None)


def break_even(position: TrackedPosition) -> Decimal:
    """Return the price at which what is left pays the taker's fees of its way in and out."""
    return position.entry_price * (1 + _sign(position.side) * 2 * position.exits.taker)


def recalculated_next(position: TrackedPosition) -> datetime:
    """Return from when on the position's stop may be reckoned anew: whole periods after its opening.

    Where there was nothing to reckon by then, it is as soon as there is.
    """
    each = timedelta(seconds=RECALCULATE_EACH_S)
    last = position.recalculated_at
    done = 0 if last is None else (last - position.opened_at) // each
    return position.opened_at + (done + 1) * each


def _first_target_step(
    position: TrackedPosition,
    progress: Progress,
    seen: ExchangeBook,
    contract: Contract,
    now: datetime,
) -> Step:
    """Have as much rest at the first target as is left of its half: place what lacks, take back what is too
    much. None rests as a limit order: those are the dead man's switch's.

    One that was asked for and rests no more may have fired after the positions were read: unless the trades,
    read last, still show all of it, another one would close the other half as well.
    """
    price, number = position.exits.first_target, position.first_targets_asked
    left = max(progress.half - progress.closed, Decimal(0))
    lacks = left - progress.resting
    is_wanted = price is not None and lacks >= contract.min_volume and number < MAX_FIRST_TARGET_CALLS
    if price is not None and is_wanted and is_due(position.first_target_asked_at, now):
        if number and not progress.resting:
            trades = holding(seen, position.side, position.opened_at)
            if trades is None or trades.size != position.size:
                return (), ()
        position = replace(position, first_targets_asked=number + 1, first_target_asked_at=now)
        return place_step(position, ProtectionKind.TARGET, Role.TARGET, price, number, now, size=lacks)
    surplus, actions = -lacks, list[Action]()
    for target in sorted(_first_targets(position, seen.protections), key=lambda each: each.size or 0):
        size = target.size or Decimal(0)
        if size <= surplus:
            surplus -= size
            actions.append(Unprotect(position.symbol, target.exchange_order_id))
    return (), tuple(actions)


def _stop_step(
    book: SymbolBook,
    position: TrackedPosition,
    report: PositionReport,
    progress: Progress,
    protections: Sequence[ProtectionReport],
    contract: Contract,
    now: datetime,
) -> Step:
    """Book the tighter stop that was read back, take looser ones away, or reckon it anew when it is time."""
    happened: tuple[events.PositionEvent, ...] = ()
    tightened = replace(position, stop=position.next_stop, next_stop=None)
    if position.next_stop is not None and has_confirmed_stop(tightened, protections):
        detail = (
            "" if position.stop is None else f"from {plain(position.stop)} to {plain(position.next_stop)}"
        )
        position = tightened
        happened = (events.StopMoved(symbol=position.symbol, at=now, position=position, detail=detail),)
    if position.stop is not None and position.stop != _planned_stop(book, position):
        looser = tuple(
            Unprotect(position.symbol, each.exchange_order_id)
            for each in protections
            if each.kind == ProtectionKind.STOP
            and each.side == position.side
            and _sign(position.side) * (position.stop - each.trigger_price) > 0
        )
        if happened or looser:
            return happened, looser
    if now < recalculated_next(position) or not _may_move_stop(position, progress.closed):
        return (), ()
    return _recalculation(position, report, progress, contract, now)


def _recalculation(
    position: TrackedPosition, report: PositionReport, progress: Progress, contract: Contract, now: datetime
) -> Step:
    """Ask for a tighter stop for the whole position, or say why the one in force stays."""
    position = replace(position, recalculated_at=now, next_stop=None)
    mark, target, stop, why = report.mark_price, position.target, None, ""
    if mark is None:
        why = "its mark price is not known"
    elif progress.half_is_partly_closed:
        why = f"its first target is filled in part: {plain(progress.closed)} of {plain(progress.half)}"
    elif target is not None and abs(target - mark) <= target * NEAR_TARGET_RATIO:
        why = f"the mark {plain(mark)} is near its target {plain(target)}"
    else:
        stop = followed_stop(position, mark, contract.tick_size, half_is_closed=progress.half_is_closed)
        why = f"at the mark {plain(mark)} none is tighter"
    if stop is None:
        return (events.StopKept(symbol=position.symbol, at=now, position=position, detail=why),), ()
    number = position.stops_asked
    position = replace(position, next_stop=stop, stops_asked=number + 1)
    return place_step(position, ProtectionKind.STOP, Role.STOP, stop, number, now)


def _may_move_stop(position: TrackedPosition, closed: Decimal) -> bool:
    """Whether there is anything to reckon: a stop behind the mark, or one that is worse than break-even while
    a part of the position is closed."""
    rules, stop = position.exits, position.stop
    if stop is None or not rules.moves_stop:
        return False
    is_worse = _sign(position.side) * (break_even(position) - stop) > 0
    return rules.trail_distance is not None or (rules.first_target is not None and closed > 0 and is_worse)


def _first_targets(
    position: TrackedPosition, protections: Iterable[ProtectionReport]
) -> list[ProtectionReport]:
    return [each for each in protections if is_first_target(each, position)]


def _planned_stop(book: SymbolBook, position: TrackedPosition) -> Decimal | None:
    """Return the stop its decision began with; None when that is not known."""
    orders = (order for order in book.orders if order.decision_key == position.decision_key)
    return next((order.stop for order in orders if order.side == position.side), None)


def _sign(side: Side) -> int:
    return 1 if side == Side.LONG else -1
