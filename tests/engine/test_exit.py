"""How a position is left before its stop and target: half at a first target, behind a stop that only ever
tightens, or when its time is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.engine import events
from apps.engine.enter.exit_price import first_target_price
from apps.engine.follow.exit import exit_due_at, first_half, followed_stop
from apps.engine.values.book import TrackedPosition
from apps.engine.values.exit import RECALCULATE_EACH_S, ExitRules
from apps.engine.values.order import ProtectionKind, ProtectionReport
from apps.engine.values.plan import OrderPlan
from apps.engine.values.position import PositionStatus, Side
from apps.engine.values.reason import Refusal
from tests.engine.follower import Follower
from tests.engine.tiny_exchange import TinyExchange
from tests.engine.trade_builder import (
    NOW,
    SYMBOL,
    D,
    contract,
    observation,
    plan_or_refusal,
    planned,
    profile,
    state,
    verdict,
)

PLAN = planned()
"""Long 14 contracts at 50,000 with the stop at 49,750 and the target at 50,450."""
FIRST = D("50250")
BREAK_EVEN = D("50060")
RULES = ExitRules(first_target=FIRST, taker=D("0.0006"), moves_stop=True)
STOP, TARGET = ProtectionKind.STOP, ProtectionKind.TARGET


def plan_with(side: Side = Side.LONG, **entry: Any) -> OrderPlan:
    built = plan_or_refusal(verdict(side), profile(**entry), observation(), state(), NOW)
    assert not isinstance(built, Refusal), built
    return built


def held(rules: ExitRules = RULES, *, filled: Decimal | None = None, **exchange: Any) -> Follower:
    """A position of a plan that is left by `rules`, filled and followed for 5 s."""
    traded = replace(PLAN, exits=rules)
    watch = Follower(traded, TinyExchange(SYMBOL, NOW, **exchange))
    watch.exchange.submit(traded.request(traded.client_order_id))
    watch.run(1)
    watch.exchange.fill(traded.size if filled is None else filled)
    watch.run(5)
    return watch


def after_the_first_target(**exchange: Any) -> Follower:
    """Half of it is closed, and the mark is well above break-even."""
    watch = held(**exchange)
    watch.exchange.trigger_first_target()
    watch.exchange.quote(D("50200"))
    watch.run(3)
    return watch


def position(watch: Follower) -> TrackedPosition:
    [tracked] = watch.book.positions
    return tracked


def resting(watch: Follower, kind: ProtectionKind) -> list[tuple[Decimal, Decimal | None]]:
    """(trigger price, size) of what protects, by price."""
    rows = [(row.trigger_price, row.size) for row in watch.exchange.stops.values() if row.kind == kind]
    return sorted(rows, key=lambda row: (row[0], row[1] or 0))


def until_recalculated(watch: Follower, times: int = 1) -> None:
    """Follow until its stop was reckoned anew so often since the opening, and what was asked is read back."""
    due = position(watch).opened_at + timedelta(seconds=times * RECALCULATE_EACH_S + 4)
    watch.run(round((due - watch.now).total_seconds()))


# the plan


@pytest.mark.parametrize(
    ("side", "tp1_r", "first"),
    [
        (Side.LONG, "1.0", "50250"),
        (Side.SHORT, "1.0", "49750.0"),
        (Side.LONG, "0.3337", "50083.4"),
        (Side.SHORT, "0.3337", "49916.7"),
    ],
)
def test_the_first_target_is_a_multiple_of_the_stops_distance_away_rounded_toward_the_entry(
    side: Side, tp1_r: str, first: str
) -> None:
    built = plan_with(side, tp1_r=float(tp1_r))
    exact = built.entry + (1 if side is Side.LONG else -1) * D(tp1_r) * abs(built.entry - built.stop)
    assert built.exits.first_target == D(first)
    assert abs(D(first) - built.entry) <= abs(exact - built.entry) < abs(D(first) - built.entry) + D("0.1")


@pytest.mark.parametrize(
    ("side", "target", "first"),
    [
        (Side.LONG, "50250.1", "50250"),
        (Side.LONG, "50250", None),
        (Side.LONG, "50240", None),
        (Side.SHORT, "49749.9", "49750"),
        (Side.SHORT, "49750", None),
    ],
)
def test_a_target_that_a_pivot_drew_before_the_first_one_is_the_only_one(
    side: Side, target: str, first: str | None
) -> None:
    stop = D("49750") if side is Side.LONG else D("50250")
    price = first_target_price(D("50000"), stop, D(target), side, D(1), D("0.1"))
    assert price == (None if first is None else D(first))


def test_an_entry_carries_its_whole_stop_and_target_whatever_closes_half_of_it_earlier() -> None:
    built = plan_with(tp1_r=1.0)
    request = built.request("tv3e1")
    assert (request.stop_price, request.target_price) == (built.stop, built.target)


def test_the_distance_of_a_stop_that_trails_is_fixed_at_the_entry() -> None:
    assert plan_with(trailing={"atr_k": 2.5}).exits.trail_distance == D("100")
    assert plan_with().exits.trail_distance is None


# two targets


@pytest.mark.parametrize(
    ("size", "step", "least", "half"),
    [
        ("14", "1", "1", "7"),
        ("15", "1", "1", "7"),
        ("2", "1", "1", "1"),
        ("1", "1", "1", "0"),
        ("3", "1", "2", "0"),
        ("5", "2", "1", "2"),
        ("0.005", "0.001", "0.001", "0.002"),
        ("0.5", "0.1", "0.3", "0"),
    ],
)
def test_half_goes_at_the_first_target_in_whole_steps_and_nothing_where_half_is_no_order(
    size: str, step: str, least: str, half: str
) -> None:
    traded = contract(volume_step=D(step), min_volume=D(least))
    assert first_half(D(size), traded) == D(half)


def test_a_position_gets_a_first_target_of_half_of_it_besides_its_whole_target() -> None:
    watch = held()
    assert resting(watch, TARGET) == [(FIRST, D(7)), (PLAN.target, None)]
    assert resting(watch, STOP) == [(PLAN.stop, None)]
    assert position(watch).status == PositionStatus.PROTECTED


def test_one_contract_goes_whole_at_the_target() -> None:
    assert resting(held(filled=D(1)), TARGET) == [(PLAN.target, None)]


def test_a_position_that_grows_gets_more_of_its_first_target_and_never_more_than_half() -> None:
    watch = held(filled=D(5))
    assert resting(watch, TARGET) == [(FIRST, D(2)), (PLAN.target, None)]
    watch.exchange.fill(D(9))
    watch.run(5)
    assert resting(watch, TARGET) == [(FIRST, D(2)), (FIRST, D(5)), (PLAN.target, None)]


def test_a_first_target_that_was_placed_twice_is_taken_back_once() -> None:
    watch = held()
    again = ProtectionReport("twice", "", SYMBOL, Side.LONG, TARGET, FIRST, D(7))
    watch.exchange.stops["twice"] = again
    watch.run(2)
    assert resting(watch, TARGET) == [(FIRST, D(7)), (PLAN.target, None)]


def test_a_first_target_that_fired_after_the_positions_were_read_is_not_placed_again() -> None:
    watch = held()
    before = watch.exchange.positions()
    watch.exchange.trigger_first_target()
    watch.exchange.positions = lambda symbol=None: before  # type: ignore[method-assign]  # read a moment earlier
    asked = watch.names().count("protection_asked")
    watch.run(3)
    assert watch.names().count("protection_asked") == asked
    del watch.exchange.positions  # type: ignore[method-assign]  # as it is
    watch.run(3)
    assert resting(watch, TARGET) == [(PLAN.target, None)]
    assert position(watch).size == D(7)


def test_a_first_target_that_was_lost_is_placed_again() -> None:
    watch = held()
    watch.exchange.stops = {key: row for key, row in watch.exchange.stops.items() if row.size is None}
    watch.run(3)
    assert resting(watch, TARGET) == [(FIRST, D(7)), (PLAN.target, None)]


def test_a_first_target_is_neither_a_stop_nor_the_target() -> None:
    watch = held(filled=D(2))
    watch.exchange.stops = {key: row for key, row in watch.exchange.stops.items() if row.size is not None}
    watch.exchange.held = {side: replace(row, size=D(1)) for side, row in watch.exchange.held.items()}
    watch.run(3)
    assert (PLAN.target, None) in resting(watch, TARGET)
    assert (PLAN.stop, None) in resting(watch, STOP)


def test_a_first_target_the_exchange_refuses_is_done_without_and_the_rest_stays() -> None:
    watch = held(calls=["rejected"] * 40)
    watch.run(60)
    assert resting(watch, TARGET) == [(PLAN.target, None)]
    assert position(watch).status == PositionStatus.PROTECTED
    assert watch.names().count("protection_asked") == 12


def test_no_first_target_is_placed_for_what_is_not_protected() -> None:
    watch = held(preset_on_partial="never", calls=["rejected", "rejected"])
    asked = [event.kind for event in watch.told if isinstance(event, events.ProtectionAsked)]
    assert asked == [STOP, STOP, STOP]
    watch.run(3)
    assert FIRST in [price for price, _ in resting(watch, TARGET)]


def test_a_first_target_that_outlives_its_position_is_cancelled_before_the_symbol_is_free() -> None:
    watch = held()
    watch.exchange.trigger(STOP)
    watch.run(5)
    assert (watch.exchange.stops, watch.book.positions, watch.book.locked_by) == ({}, (), None)


# the stop that follows


def test_after_the_first_target_the_stop_goes_to_break_even_at_the_third_minute_and_not_before() -> None:
    watch = after_the_first_target()
    watch.run(160)
    assert resting(watch, STOP) == [(PLAN.stop, None)]
    until_recalculated(watch)
    assert resting(watch, STOP) == [(BREAK_EVEN, None)]
    assert (position(watch).stop, position(watch).next_stop) == (BREAK_EVEN, None)
    assert watch.names().count("stop_moved") == 1


def test_the_old_stop_goes_only_in_a_look_that_read_the_tighter_one() -> None:
    watch = after_the_first_target()
    watch.run(168)
    stops = [resting(watch, STOP)]
    for _ in range(8):
        watch.run(1)
        stops.append(resting(watch, STOP))
    assert [(PLAN.stop, None), (BREAK_EVEN, None)] in stops, "both rest until the tighter one is read"
    assert all(
        PLAN.stop in [price for price, _ in each] or BREAK_EVEN in [price for price, _ in each]
        for each in stops
    )
    assert stops[-1] == [(BREAK_EVEN, None)]


@pytest.mark.parametrize("answer", ["rejected", "lost", "unreachable"])
def test_where_placing_the_tighter_stop_fails_the_old_one_stays_and_it_is_tried_again_3_minutes_later(
    answer: Any,
) -> None:
    watch = after_the_first_target()
    watch.exchange.calls = [answer]
    until_recalculated(watch)
    assert resting(watch, STOP) == [(PLAN.stop, None)]
    assert position(watch).stop == PLAN.stop
    assert position(watch).status == PositionStatus.PROTECTED
    until_recalculated(watch, times=2)
    assert resting(watch, STOP) == [(BREAK_EVEN, None)]


def test_where_taking_the_old_stop_away_fails_it_is_taken_away_later() -> None:
    watch = after_the_first_target()
    watch.exchange.calls = ["ok", "lost", "unreachable"]
    until_recalculated(watch)
    assert resting(watch, STOP) == [(BREAK_EVEN, None)]


def test_a_tighter_stop_for_a_part_of_the_position_confirms_nothing() -> None:
    watch = after_the_first_target()
    watch.exchange.calls = ["rejected"]
    part = ProtectionReport("part", "", SYMBOL, Side.LONG, STOP, BREAK_EVEN, D(6))
    watch.exchange.stops["part"] = part
    until_recalculated(watch)
    assert position(watch).stop == PLAN.stop
    assert (PLAN.stop, None) in resting(watch, STOP)


def test_a_moved_stop_that_vanishes_is_placed_again_where_it_was_moved_to() -> None:
    watch = after_the_first_target()
    until_recalculated(watch)
    watch.exchange.stops.clear()
    watch.run(3)
    assert (BREAK_EVEN, None) in resting(watch, STOP)


def nothing(watch: Follower) -> None:
    """As it is."""


def no_first_target(watch: Follower) -> None:
    watch.exchange.stops = {key: row for key, row in watch.exchange.stops.items() if row.size is None}
    watch.exchange.held = {side: replace(row, size=D(9)) for side, row in watch.exchange.held.items()}


@pytest.mark.parametrize(
    ("mark", "before", "because"),
    [
        ("50310", lambda watch: watch.exchange.trigger_first_target(), "near its target"),
        ("50060", lambda watch: watch.exchange.trigger_first_target(), "none is tighter"),
        ("50200", no_first_target, "in part: 5 of 7"),
    ],
    ids=["within 0.3 % of the target", "not above break-even", "first target filled in part"],
)
def test_a_stop_stays_where_it_is(mark: str, before: Callable[[Follower], None], because: str) -> None:
    watch = held()
    before(watch)
    watch.exchange.calls = ["rejected"] * 30
    watch.exchange.quote(D(mark))
    until_recalculated(watch)
    assert resting(watch, STOP) == [(PLAN.stop, None)]
    [kept] = [event for event in watch.told if isinstance(event, events.StopKept)]
    assert because in kept.detail


def test_a_position_whose_first_target_is_not_reached_is_not_reckoned_anew() -> None:
    watch = held()
    watch.exchange.quote(D("50200"))
    watch.run(400)
    assert not {"stop_kept", "stop_moved"} & set(watch.names())


def test_a_stop_that_a_profile_does_not_move_stays() -> None:
    watch = held(replace(RULES, moves_stop=False, trail_distance=D(100)))
    watch.exchange.trigger_first_target()
    watch.exchange.quote(D("50200"))
    watch.run(400)
    assert resting(watch, STOP) == [(PLAN.stop, None)]


def test_a_stop_trails_the_mark_each_3_minutes_and_never_goes_back() -> None:
    watch = held(ExitRules(moves_stop=True, trail_distance=D("100.05")))
    for times, (mark, stop) in enumerate(
        [("49980", "49879.9"), ("50100", "49999.9"), ("50050", "49999.9"), ("50200", "50099.9")], start=1
    ):
        watch.exchange.quote(D(mark))
        until_recalculated(watch, times)
        assert resting(watch, STOP) == [(D(stop), None)], mark


@pytest.mark.parametrize(
    ("side", "stop", "mark", "half", "trail", "moved"),
    [
        (Side.LONG, "49750", "50100", True, None, "50060.1"),
        (Side.SHORT, "50250", "49900", True, None, "49940.0"),
        (Side.LONG, "49750", "50100", False, None, None),
        (Side.LONG, "49750", "50060.1", True, None, None),
        (Side.LONG, "50060.1", "50100", True, None, None),
        (Side.LONG, "49750", "50300", True, "100.04", "50199.9"),
        (Side.LONG, "49750", "50100", True, "100", "50060.1"),
        (Side.SHORT, "50250", "49700", True, "100.04", "49800.1"),
        (Side.LONG, "49750", "49800", True, "100", None),
    ],
)
def test_the_tightest_stop_that_the_rules_allow(
    side: Side, stop: str, mark: str, half: bool, trail: str | None, moved: str | None
) -> None:
    tracked = TrackedPosition(
        symbol=SYMBOL,
        side=side,
        decision_key="k",
        status=PositionStatus.PROTECTED,
        size=D(7),
        entry_price=D("50000.01"),
        stop=D(stop),
        target=None,
        opened_at=NOW,
        exits=replace(RULES, trail_distance=None if trail is None else D(trail)),
    )
    price = followed_stop(tracked, D(mark), D("0.1"), half_is_closed=half)
    assert price == (None if moved is None else D(moved))


# the time stop


def test_a_position_that_is_too_old_is_closed_at_market_and_that_is_no_emergency() -> None:
    watch = held(ExitRules(max_holding_s=600))
    opened_at = position(watch).opened_at
    watch.run(round((opened_at + timedelta(seconds=599) - watch.now).total_seconds()))
    assert position(watch).status == PositionStatus.PROTECTED
    watch.run(1)
    closes = [request for request in watch.exchange.requests if not request.opens]
    assert [request.size for request in closes] == [D(5), D(5), D(4)]
    assert all(request.price is None for request in closes)
    watch.run(6)
    assert (watch.exchange.held, watch.exchange.stops, watch.book.locked_by) == ({}, {}, None)
    assert watch.names().count("time_stop") == 1
    assert not {"emergency_close", "close_failing"} & set(watch.names())
    [gone] = [event for event in watch.told if isinstance(event, events.PositionClosed)]
    assert gone.position.close_reason == "time stop"


def test_a_close_by_time_that_fails_is_repeated_and_alarms_only_when_three_had_no_effect() -> None:
    watch = held(ExitRules(max_holding_s=60))
    watch.run(50)
    watch.exchange.calls = ["unreachable"] * 9
    watch.run(10)
    assert watch.alarms == []
    watch.exchange.calls = ["unreachable"] * 3
    watch.run(3)
    assert len(watch.alarms) == 1
    watch.run(8)
    assert not watch.exchange.held


def test_what_is_closed_by_time_gets_no_target_and_no_stop_moved_meanwhile() -> None:
    watch = held(replace(RULES, max_holding_s=60))
    watch.run(50)
    asked = watch.names().count("protection_asked")
    watch.exchange.calls = ["unreachable"] * 6
    watch.run(8)
    assert watch.names().count("protection_asked") == asked


def test_what_must_be_looked_at_though_nothing_happens() -> None:
    watch = held(replace(RULES, max_holding_s=3600))
    opened_at = position(watch).opened_at
    assert exit_due_at(watch.book) == opened_at + timedelta(seconds=3600)
    watch.exchange.trigger_first_target()
    watch.exchange.quote(D("50200"))
    watch.run(3)
    assert exit_due_at(watch.book) == opened_at + timedelta(seconds=180)
    until_recalculated(watch)
    assert exit_due_at(watch.book) == opened_at + timedelta(seconds=3600)
    assert exit_due_at(held(ExitRules(moves_stop=True)).book) is None
