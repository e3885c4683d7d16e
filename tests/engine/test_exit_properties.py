"""Whatever fills, triggers, passes or fails: no stop loosens, nothing is naked for long, all ends clean."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.engine.follow.orders import LIVE
from apps.engine.follow.protection import covers, has_confirmed_stop
from apps.engine.values.exit import ExitRules
from apps.engine.values.order import ProtectionKind
from apps.engine.values.position import Side
from tests.engine.follower import Follower
from tests.engine.tiny_exchange import Answer, TinyExchange
from tests.engine.trade_builder import NOW, SYMBOL, D, planned
from tests.examples import examples

NAKED_AT_MOST_S = 10
PLANS = {side: planned(side) for side in Side}

RULES = st.builds(
    ExitRules,
    first_target=st.sampled_from([None, D(1)]),  # D(1): at one R, by side
    taker=st.just(D("0.0006")),
    moves_stop=st.sampled_from([True, True, False]),
    trail_distance=st.sampled_from([None, D("30.05"), D(200)]),
    max_holding_s=st.sampled_from([None, None, 300, 900]),
)
Happening = Literal["nothing", "fill", "stop", "target", "first_target", "lose_stops"]
HAPPENINGS: st.SearchStrategy[Happening] = st.sampled_from(
    ["nothing"] * 16 + ["fill", "first_target", "first_target", "stop", "target", "lose_stops"]
)
MARKS = st.integers(-100, 440)
"""From the entry, in favour of the position."""
SECONDS = st.sampled_from([1, 181, 181])
ANSWERS: st.SearchStrategy[list[Answer]] = st.lists(
    st.sampled_from(["ok", "ok", "lost", "held", "rejected", "unreachable"]), max_size=10
)
FAULTS: st.SearchStrategy[list[Answer]] = st.lists(
    st.sampled_from(["lost", "held", "rejected", "unreachable"]), max_size=1
)
"""Of the next protective calls, closes and cancels after something happened."""
PRESETS: st.SearchStrategy[Literal["first_fill", "complete", "never"]] = st.sampled_from(
    ["first_fill", "complete", "never"]
)


def opened(
    side: Side, rules: ExitRules, preset: Literal["first_fill", "complete", "never"], calls: list[Answer]
) -> Follower:
    plan = PLANS[side]
    if rules.first_target is not None:
        rules = replace(rules, first_target=2 * plan.entry - plan.stop)
    plan = replace(plan, exits=rules)
    watch = Follower(plan, TinyExchange(SYMBOL, NOW, preset_on_partial=preset))
    watch.exchange.submit(plan.request(plan.client_order_id))
    watch.run(1)
    watch.exchange.calls = list(calls)
    return watch


def happen(watch: Follower, what: Happening) -> None:
    exchange = watch.exchange
    match what:
        case "fill":
            exchange.fill(D(3))
        case "stop":
            exchange.trigger(ProtectionKind.STOP)
        case "target":
            exchange.trigger(ProtectionKind.TARGET)
        case "first_target":
            exchange.trigger_first_target()
        case "lose_stops":
            exchange.stops.clear()


def in_force(watch: Follower) -> Decimal | None:
    """The tightest stop at the exchange that covers all that is held there; as if of a long."""
    side = watch.plan.side
    held = watch.exchange.held.get(side)
    booked = next((row for row in watch.book.positions if row.side == side), None)
    if held is None or booked is None:
        return None
    now = replace(booked, size=held.size)
    stops = [
        row.trigger_price for row in watch.exchange.stops.values() if covers(row, now, ProtectionKind.STOP)
    ]
    sign = 1 if side == Side.LONG else -1
    return max((sign * stop for stop in stops), default=None)


@settings(max_examples=examples(100), deadline=None)
@given(
    st.sampled_from(list(Side)),
    RULES,
    PRESETS,
    st.lists(st.tuples(HAPPENINGS, FAULTS, MARKS, SECONDS), min_size=3, max_size=12),
)
def test_any_exit_tightens_only_and_ends_flat_clean_and_free(
    side: Side,
    rules: ExitRules,
    preset: Literal["first_fill", "complete", "never"],
    life: list[tuple[Happening, list[Answer], int, int]],
) -> None:
    watch = opened(side, rules, preset, [])
    exchange, sign = watch.exchange, 1 if side == Side.LONG else -1
    patience_s = NAKED_AT_MOST_S + 2 * sum(len(calls) for _, calls, _, _ in life)
    naked_s, forced, booked_stop, opened_at = 0, None, None, None
    exchange.fill(D(9))
    for what, calls, away, seconds in life:
        happen(watch, what)
        exchange.calls += calls
        exchange.quote(watch.plan.entry + sign * away)
        if what == "lose_stops":
            forced = None  # the exchange lost it, not we
        for _ in range(seconds):
            watch.run(1)
            booked = next(iter(watch.book.positions), None)
            held = exchange.held.get(side)
            if held is None or booked is None or booked.opened_at != opened_at:
                forced = booked_stop = None
                opened_at = None if booked is None else booked.opened_at
            covered = booked is not None and has_confirmed_stop(booked, list(exchange.stops.values()))
            naked_s = 0 if held is None or covered else naked_s + 1
            assert naked_s <= patience_s, watch.names()
            if booked is not None and booked.stop is not None and held is not None:
                assert booked_stop is None or sign * (booked.stop - booked_stop) >= 0, (
                    "the one wanted loosened"
                )
                booked_stop = booked.stop
            stop = in_force(watch)
            if held is not None and forced is not None:
                assert stop is not None, "a stop was taken away while it was held"
                assert stop >= forced, "the stop in force loosened"
            forced = stop
    watch.run(240)
    exchange.trigger(ProtectionKind.STOP)
    watch.run(60)
    assert (exchange.held, exchange.resting, exchange.stops) == ({}, {}, {})
    assert (watch.book.locked_by, watch.book.positions) == (None, ())
    assert watch.order.status not in LIVE
    assert watch.book.trade_ids == {fill.trade_id for fill in exchange.trades}
    assert not [request for request in exchange.requests if not request.opens and request.price is not None]


@settings(max_examples=examples(60), deadline=None)
@given(
    st.sampled_from(list(Side)),
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4)), min_size=1, max_size=6),
    ANSWERS,
)
def test_what_rests_at_the_first_target_is_half_of_what_was_filled_when_all_is_answered(
    side: Side, fills: list[tuple[int, int]], calls: list[Answer]
) -> None:
    rules = ExitRules(first_target=D(1), taker=D("0.0006"), moves_stop=True)
    watch = opened(side, rules, "first_fill", calls)
    for size, seconds in fills:
        watch.exchange.fill(D(size))
        watch.run(seconds)
    watch.run(3 * len(calls) + 20)
    filled = sum((fill.size for fill in watch.exchange.trades if fill.opens), D(0))
    if side in watch.exchange.held:
        halves = [
            row.size
            for row in watch.exchange.stops.values()
            if row.kind == ProtectionKind.TARGET and row.size is not None
        ]
        assert sum(halves, D(0)) == filled // 2
