"""Several orders of one decision followed: one position, one stop, one exit, one lock until all are over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.engine import events
from apps.engine.cycle.view import lacks_reads
from apps.engine.follow.orders import LIVE
from apps.engine.follow.protection import has_confirmed_stop
from apps.engine.values.book import CloseRequest, SymbolBook
from apps.engine.values.order import OrderStatus, ProtectionKind
from apps.engine.values.plan import OrderPlan
from apps.engine.values.position import PositionStatus, Side
from tests.engine.follower import Follower, look
from tests.engine.tiny_exchange import Answer, TinyExchange
from tests.engine.trade_builder import CONSTRAINTS, NOW, SYMBOL, D, planned, profile
from tests.examples import examples

S = OrderStatus
Preset = Literal["first_fill", "complete", "never"]
PRESETS: tuple[Preset, ...] = ("first_fill", "complete", "never")
PLAN = planned(scaling=(0.5, 0.3, 0.2))  # 6, 4 and 3 contracts
TWO_TARGETS = planned(by=profile(scaling=[0.5, 0.3, 0.2], tp1_r=1.0))
PATIENCE_S = 10


def entered(
    plan: OrderPlan = PLAN,
    preset: Preset = "first_fill",
    answers: Sequence[Answer] = (),
    calls: Sequence[Answer] = (),
) -> Follower:
    """Sent as the cycle sends them: none after one that was not taken for certain; seen resting."""
    exchange = TinyExchange(SYMBOL, NOW, preset_on_partial=preset, sized_presets=True, answers=list(answers))
    watch = Follower(plan, exchange)
    failed = False
    for order in watch.book.orders:
        news = replace(order, status=S.DENIED)
        if not failed:
            try:
                exchange_id = exchange.submit(plan.request(order.client_order_id, order.tranche))
                news = replace(order, status=S.SUBMITTED, exchange_order_id=exchange_id)
            except Exception:
                news, failed = replace(order, status=S.UNKNOWN), True
        watch.record([events.OrderResting(symbol=SYMBOL, at=NOW, order=news)])
    watch.run(1)
    exchange.calls = list(calls)
    return watch


def statuses(watch: Follower) -> list[OrderStatus]:
    return [order.status for order in sorted(watch.book.orders, key=lambda order: order.tranche)]


def whys(watch: Follower) -> list[str]:
    return [event.detail for event in watch.told if isinstance(event, events.OrderCancelAsked)]


def opened(watch: Follower) -> int:
    return int(sum((trade.size for trade in watch.exchange.trades if trade.opens), D(0)))


@pytest.mark.parametrize("preset", PRESETS)
def test_each_fill_leaves_the_whole_position_behind_one_stop(preset: Preset) -> None:
    watch = entered(preset=preset)
    for size, held in ((2, 2), (4, 6), (1, 7), (3, 10), (3, 13)):
        watch.exchange.fill(D(size))
        watch.run(3)
        [position] = watch.book.positions
        assert (position.size, position.status) == (held, PositionStatus.PROTECTED)
        assert has_confirmed_stop(position, list(watch.exchange.stops.values()))
    assert statuses(watch) == [S.FILLED] * 3
    assert position.entry_price == PLAN.average_entry
    assert (position.stop, position.target) == (PLAN.stop, PLAN.target)
    assert watch.names().count("position_opened") == 1
    whole = [stop for stop in watch.exchange.stops.values() if stop.size is None]
    assert {stop.kind for stop in whole} == set(ProtectionKind), "one stop and one target for all of it"


def test_two_tranches_filled_before_any_list_shows_the_position_are_one_position() -> None:
    watch = entered(preset="never")
    watch.exchange.fill(D(8))
    hidden = watch.exchange.held.pop(PLAN.side)
    watch.run(1)
    [position] = watch.book.positions
    first, second, _ = PLAN.tranches
    assert position.size == 8
    assert position.entry_price == (first.price * 6 + second.price * 2) / 8
    watch.exchange.held[PLAN.side] = hidden
    watch.run(3)
    assert watch.names().count("position_opened") == 1
    assert watch.book.positions[0].status == PositionStatus.PROTECTED


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("filled", [3, 6, 8, 10])
def test_after_the_stop_no_tranche_opens_again(preset: Preset, filled: int) -> None:
    watch = entered(preset=preset)
    watch.exchange.fill(D(filled))
    watch.run(4)
    watch.exchange.trigger(ProtectionKind.STOP)
    watch.run(2)
    assert watch.exchange.resting == {}, "taken back within two looks"
    assert set(whys(watch)) == {"its position is closed"}
    watch.exchange.fill(D(13))
    watch.run(30)
    assert opened(watch) == filled
    assert (watch.book.positions, watch.book.locked_by, watch.exchange.stops) == ((), None, {})
    assert not set(statuses(watch)) & LIVE


def test_after_a_first_target_no_tranche_opens_again() -> None:
    watch = entered(TWO_TARGETS)
    watch.exchange.fill(D(8))
    watch.run(4)
    halves = [
        stop for stop in watch.exchange.stops.values() if stop.trigger_price == TWO_TARGETS.exits.first_target
    ]
    assert sum(stop.size or D(0) for stop in halves) == 4
    watch.exchange.trigger_first_target()
    watch.run(2)
    assert watch.exchange.resting == {}
    assert set(whys(watch)) == {"a part of its position is closed"}
    assert [position.size for position in watch.book.positions] == [4]
    watch.exchange.quote(D("50100"))
    watch.run(200)
    [position] = watch.book.positions
    # break-even of what was paid on average
    assert position.stop is not None
    assert position.stop >= position.entry_price * (1 + 2 * D("0.0006"))


def test_what_rests_at_the_first_target_grows_with_each_tranche_and_is_never_more_than_half() -> None:
    watch = entered(TWO_TARGETS)
    for size, half in ((2, 1), (4, 3), (4, 5), (3, 6)):
        watch.exchange.fill(D(size))
        watch.run(5)
        resting = [
            stop.size
            for stop in watch.exchange.stops.values()
            if stop.trigger_price == TWO_TARGETS.exits.first_target
        ]
        assert sum((each or D(0) for each in resting), D(0)) == half
    watch.exchange.trigger(ProtectionKind.TARGET)
    watch.run(10)
    assert opened(watch) == 13
    assert (watch.exchange.held, watch.exchange.stops, watch.book.locked_by) == ({}, {}, None)


def test_a_list_of_positions_that_is_late_takes_no_tranche_back() -> None:
    watch = entered(preset="never")
    watch.exchange.fill(D(3))
    watch.run(3)
    late = watch.exchange.held[PLAN.side]
    watch.exchange.fill(D(5))
    now = watch.exchange.held[PLAN.side]
    watch.exchange.held[PLAN.side] = late
    watch.run(3)
    assert whys(watch) == []
    watch.exchange.held[PLAN.side] = now
    watch.run(3)
    assert [position.size for position in watch.book.positions] == [8]
    assert len(watch.exchange.resting) == 2


def test_a_tranche_behind_a_stop_that_moved_is_taken_back_before_the_stop_is_reached() -> None:
    plan = replace(PLAN, exits=replace(PLAN.exits, trail_distance=D(100)), expires_at=NOW.replace(hour=23))
    watch = entered(plan)
    watch.exchange.fill(D(6))
    watch.run(3)
    watch.exchange.quote(D("50090.0"))  # the stop follows to 49,990: above 49,979 and 49,958
    watch.run(185)
    assert watch.exchange.resting == {}
    assert set(whys(watch)) == {"its position's stop is at its price or beyond"}
    assert watch.book.positions[0].stop == D("49990.0")
    assert opened(watch) == 6


def test_a_stop_that_moved_to_below_a_tranche_leaves_it_resting() -> None:
    plan = replace(PLAN, exits=replace(PLAN.exits, trail_distance=D(100)), expires_at=NOW.replace(hour=23))
    watch = entered(plan)
    watch.exchange.fill(D(6))
    watch.run(3)
    watch.exchange.quote(D("50070.0"))  # to 49,970: below 49,979, above 49,958
    watch.run(185)
    [left] = watch.exchange.resting.values()
    assert left.price == D("49979.0")


def test_a_switch_takes_back_all_tranches_and_protects_what_is_held() -> None:
    watch = entered(preset="never")
    watch.exchange.fill(D(7))
    watch.run(1)
    watch.off = {"GLOBAL": "enough"}
    watch.run(3)
    assert watch.exchange.resting == {}
    assert whys(watch) == ["kill_switch_global"] * 2
    assert watch.book.positions[0].status == PositionStatus.PROTECTED


def test_all_tranches_that_nothing_filled_expire_together_and_leave_a_short_cooldown() -> None:
    watch = entered()
    watch.run(70)
    assert statuses(watch) == [S.EXPIRED] * 3
    assert watch.book.locked_by is None
    assert [event.because for event in watch.told if isinstance(event, events.CooldownSet)] == ["unfilled"]


def test_a_person_s_close_takes_back_the_tranches_of_its_side() -> None:
    watch = entered()
    watch.exchange.fill(D(7))
    watch.run(3)
    watch.book = replace(watch.book, close_requests=(CloseRequest(PLAN.side, "ada", "news"),))
    watch.run(20)
    assert (watch.exchange.resting, watch.exchange.held) == ({}, {})
    assert (watch.book.close_requests, watch.book.locked_by) == ((), None)
    assert opened(watch) == 7


def test_a_position_closed_in_an_emergency_leaves_no_tranche_resting() -> None:
    watch = entered(preset="never", calls=["rejected"] * 4)
    watch.exchange.fill(D(7))
    watch.run(20)
    assert "emergency_close" in watch.names()
    assert (watch.exchange.resting, watch.exchange.held, watch.book.locked_by) == ({}, {}, None)
    assert opened(watch) == 7


@pytest.mark.parametrize("preset", PRESETS)
def test_a_tranche_that_fills_after_the_stop_all_the_same_is_protected_and_ends_clean(preset: Preset) -> None:
    watch = entered(preset=preset)
    watch.exchange.fill(D(6))
    watch.run(4)
    watch.exchange.trigger(ProtectionKind.STOP)
    watch.exchange.fill(D(2))  # before anybody could look
    watch.run(4)
    [position] = watch.book.positions
    assert (position.size, position.status) == (2, PositionStatus.PROTECTED)
    assert watch.exchange.resting == {}
    watch.exchange.trigger(ProtectionKind.STOP)
    watch.run(10)
    assert (watch.exchange.held, watch.exchange.stops, watch.book.locked_by) == ({}, {}, None)


def test_the_lock_is_held_until_the_last_tranche_is_over() -> None:
    watch = entered(calls=["lost"] * 8)
    watch.exchange.fill(D(6))
    watch.run(2)
    watch.exchange.trigger(ProtectionKind.STOP)
    for _ in range(60):
        watch.run(1)
        free = watch.book.locked_by is None
        assert not free or watch.exchange.resting == {}
    assert free


def test_an_unknown_tranche_beside_a_position_of_the_others_is_given_up_when_it_cannot_come_any_more() -> (
    None
):
    watch = entered(answers=["ok", "lost"])
    watch.exchange.fill(D(6))
    watch.run(70)
    assert statuses(watch) == [S.FILLED, S.UNKNOWN, S.DENIED]
    watch.run(20)
    assert statuses(watch) == [S.FILLED, S.NEVER_ARRIVED, S.DENIED]
    [position] = watch.book.positions
    assert (position.size, position.status) == (6, PositionStatus.PROTECTED)
    assert watch.book.locked_by == PLAN.decision_key


def test_an_unknown_tranche_that_did_arrive_is_followed_as_any_other() -> None:
    watch = entered(answers=["ok", "held"])
    watch.exchange.fill(D(8))
    watch.run(5)
    second = next(order for order in watch.book.orders if order.tranche == 1)
    assert (second.status, second.filled) == (S.PARTIALLY_FILLED, 2)
    assert watch.book.positions[0].size == 8


def test_tranches_that_a_crash_left_unsent_never_arrive_and_the_first_goes_on() -> None:
    watch = Follower(PLAN, TinyExchange(SYMBOL, NOW, sized_presets=True))
    first = watch.book.orders[0]
    watch.exchange.submit(PLAN.request(first.client_order_id))
    watch.run(1)
    watch.exchange.fill(D(6))
    watch.run(95)
    assert statuses(watch) == [S.FILLED, S.NEVER_ARRIVED, S.NEVER_ARRIVED]
    assert watch.book.positions[0].status == PositionStatus.PROTECTED
    watch.exchange.trigger(ProtectionKind.STOP)
    watch.run(10)
    assert watch.book.locked_by is None


def test_the_trades_are_read_while_less_is_held_than_was_filled_and_more_may_fill() -> None:
    watch = entered(TWO_TARGETS)
    watch.exchange.fill(D(8))
    watch.run(4)

    def lacks(book: SymbolBook) -> bool:
        seen = replace(look(watch.exchange, book), looked_up={}, fills_at=None, fills=())
        return lacks_reads(book, seen, CONSTRAINTS, watch.now)

    assert not lacks(watch.book)
    [held] = watch.exchange.held.values()
    watch.exchange.held[PLAN.side] = replace(held, size=D(4))
    changed = replace(watch.book.positions[0], size=D(4))
    less = replace(watch.book, positions=(changed,))
    assert lacks(less)
    watch.exchange.resting.clear()
    over = tuple(replace(order, status=S.FILLED) for order in less.orders)
    assert not lacks(replace(less, orders=over))


Happening = Literal["nothing", "fill", "stop", "first_target", "target", "switch", "lose_stops"]
HAPPENINGS: st.SearchStrategy[Happening] = st.sampled_from(
    ["nothing"] * 3 + ["fill"] * 3 + ["stop", "first_target", "target", "switch", "lose_stops"]
)
PLANS = [
    planned(side, by=profile(scaling=list(shares), tp1_r=tp1_r))
    for side in Side
    for shares in ((0.5, 0.3, 0.2), (0.4, 0.6), (1,))
    for tp1_r in (0.5, 1.7)
]


@settings(max_examples=examples(150), deadline=None)
@given(
    st.sampled_from(PLANS),
    st.sampled_from(PRESETS),
    st.lists(st.sampled_from(["ok", "ok", "held", "lost"]), max_size=3),
    st.lists(st.sampled_from(["ok", "lost", "held", "rejected", "unreachable"]), max_size=5),
    st.lists(st.tuples(HAPPENINGS, st.integers(1, 8), st.integers(1, 3)), max_size=40),
)
def test_any_life_of_tranches_ends_flat_and_free_and_opens_nothing_after_its_first_exit(
    plan: OrderPlan,
    preset: Preset,
    answers: list[Answer],
    calls: list[Answer],
    life: list[tuple[Happening, int, int]],
) -> None:
    watch = entered(plan, preset, answers, calls)
    exchange, patience_s = watch.exchange, PATIENCE_S + 2 * len(calls)
    naked_s, looks_since_exit = 0, 0
    for what, size, seconds in life:
        before = opened(watch)
        match what:
            case "fill":
                exchange.fill(D(size))
            case "stop":
                exchange.trigger(ProtectionKind.STOP)
            case "first_target":
                exchange.trigger_first_target()
            case "target":
                exchange.trigger(ProtectionKind.TARGET)
            case "switch":
                watch.off = {"GLOBAL": "off"}
            case "lose_stops":
                exchange.stops.clear()
        # two looks see the exit and take the rest back, and each fault of a call costs a repetition
        if looks_since_exit > 2 + 2 * len(calls):
            assert opened(watch) == before, watch.names()
        for _ in range(seconds):
            watch.run(1)
            exited = any(not trade.opens for trade in exchange.trades)
            looks_since_exit = looks_since_exit + 1 if exited else 0
            held = exchange.held.get(plan.side)
            booked = next(iter(watch.book.positions), None)
            covered = booked is not None and has_confirmed_stop(booked, list(exchange.stops.values()))
            naked_s = 0 if held is None or covered else naked_s + 1
            assert naked_s <= patience_s, watch.names()
        assert opened(watch) <= plan.size
    watch.run(170)
    exchange.trigger(ProtectionKind.STOP)
    watch.run(60)
    assert (exchange.held, exchange.resting, exchange.stops) == ({}, {}, {})
    assert (watch.book.locked_by, watch.book.positions) == (None, ())
    assert not {order.status for order in watch.book.orders} & LIVE
    assert sum((order.filled for order in watch.book.orders), D(0)) == opened(watch)
    assert watch.book.trade_ids == {trade.trade_id for trade in exchange.trades}
