"""Whatever fills, triggers, gets lost or is refused: the exchange's books are right in the end, and soon."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.engine.cycle import follow
from apps.engine.follow.orders import LIVE
from apps.engine.follow.protection import has_confirmed_stop
from apps.engine.follow.reconcile import Differences, compare
from apps.engine.values.order import TRANSITIONS, OrderStatus, ProtectionKind
from apps.engine.values.position import PositionStatus
from tests.engine.follower import Follower, look
from tests.engine.tiny_exchange import Answer, TinyExchange
from tests.engine.trade_builder import CONSTRAINTS, NOW, SYMBOL, D, contract, planned
from tests.examples import examples

PLAN = planned()
Happening = Literal["nothing", "fill", "stop", "target", "switch", "arrive", "lose_stops"]
HAPPENINGS: st.SearchStrategy[Happening] = st.sampled_from(
    ["nothing"] * 4 + ["fill", "stop", "target", "switch", "arrive", "lose_stops"]
)
FAULTS: st.SearchStrategy[list[Answer]] = st.lists(
    st.sampled_from(["ok", "lost", "held", "rejected", "unreachable"]), max_size=6
)
PRESETS: st.SearchStrategy[Literal["first_fill", "complete", "never"]] = st.sampled_from(
    ["first_fill", "complete", "never"]
)
NAKED_AT_MOST_S = 10


def sent(answer: Answer, calls: list[Answer], preset: Literal["first_fill", "complete", "never"]) -> Follower:
    watch = Follower(PLAN, TinyExchange(SYMBOL, NOW, preset_on_partial=preset, answers=[answer], calls=calls))
    try:
        watch.exchange.submit(PLAN.request(PLAN.client_order_id))
    except Exception:
        watch.heard(OrderStatus.UNKNOWN)
    return watch


def happen(watch: Follower, what: Happening, size: int) -> None:
    exchange = watch.exchange
    match what:
        case "fill":
            exchange.fill(D(size))
        case "stop":
            exchange.trigger(ProtectionKind.STOP)
        case "target":
            exchange.trigger(ProtectionKind.TARGET)
        case "switch":
            watch.off = {"GLOBAL": "off"}
        case "arrive":
            if not exchange.requests and watch.order.status in LIVE:
                exchange.place(PLAN.request(PLAN.client_order_id))
        case "lose_stops":
            exchange.stops.clear()


@settings(max_examples=examples(80), deadline=None)
@given(
    st.sampled_from(["ok", "lost", "held"]),
    FAULTS,
    PRESETS,
    st.lists(st.tuples(HAPPENINGS, st.integers(1, 8)), max_size=60),
)
def test_any_life_ends_flat_clean_and_free_and_is_never_naked_for_long(
    answer: Answer,
    calls: list[Answer],
    preset: Literal["first_fill", "complete", "never"],
    life: list[tuple[Happening, int]],
) -> None:
    watch = sent(answer, calls, preset)
    patience_s = NAKED_AT_MOST_S + 2 * len(calls)  # each fault costs at most one repetition
    naked_s = 0
    for what, size in life:
        happen(watch, what, size)
        watch.run(1)
        position = watch.exchange.held.get(PLAN.side)
        booked = next(iter(watch.book.positions), None)
        covered = booked is not None and has_confirmed_stop(booked, list(watch.exchange.stops.values()))
        naked_s = 0 if position is None or covered else naked_s + 1
        assert naked_s <= patience_s, watch.names()
    watch.run(170)
    watch.exchange.trigger(ProtectionKind.STOP)
    watch.run(60)
    assert sum(request.opens for request in watch.exchange.requests) <= 1, "it was sent once at most"
    assert (watch.exchange.held, watch.exchange.resting, watch.exchange.stops) == ({}, {}, {})
    assert (watch.book.locked_by, watch.book.positions) == (None, ())
    assert watch.order.status not in LIVE
    traded = sum((fill.size for fill in watch.exchange.trades if fill.opens), D(0))
    assert watch.order.filled == traded
    assert watch.book.trade_ids == {fill.trade_id for fill in watch.exchange.trades}


@settings(max_examples=examples(60), deadline=None)
@given(PRESETS, st.lists(st.tuples(HAPPENINGS, st.integers(1, 8)), max_size=30))
def test_books_that_are_equal_differ_in_nothing_and_following_again_does_nothing(
    preset: Literal["first_fill", "complete", "never"], life: list[tuple[Happening, int]]
) -> None:
    watch = sent("ok", [], preset)
    for what, size in life:
        happen(watch, what, size)
        watch.run(1)
    seen = look(watch.exchange, watch.book)
    first = follow(watch.book, seen, contract(), constraints=CONSTRAINTS, off=watch.off, now=watch.now)
    again = follow(first.book, seen, contract(), constraints=CONSTRAINTS, off=watch.off, now=watch.now)
    differences = compare(first.book, seen, watch.now)
    assert differences == Differences(positions_gone=differences.positions_gone)
    assert (again.book, again.events) == (first.book, ())
    assert set(again.actions) <= set(first.actions), (
        "what was not done yet may be asked for again, nothing new"
    )


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.tuples(HAPPENINGS, st.integers(1, 8)), max_size=40), FAULTS)
def test_every_status_an_order_takes_on_its_way_is_legal(
    life: list[tuple[Happening, int]], calls: list[Answer]
) -> None:
    watch = sent("lost", calls, "first_fill")
    for what, size in life:
        before = watch.order.status
        happen(watch, what, size)
        watch.run(1)
        after = watch.order.status
        assert after == before or after in TRANSITIONS[before], (before, after)


def test_a_claim_that_was_never_sent_is_given_up_in_the_end() -> None:
    watch = Follower(PLAN, TinyExchange(SYMBOL, NOW))
    watch.run(90)
    assert watch.order.status == OrderStatus.NEVER_ARRIVED
    assert watch.book.locked_by is None


@pytest.mark.parametrize("every_s", [1, 2, 5])
def test_a_sweep_alone_is_enough_however_seldom(every_s: int) -> None:
    watch = sent("ok", [], "never")
    watch.run(5, every_s)
    watch.exchange.fill(PLAN.size)
    watch.run(15, every_s)
    assert watch.book.positions[0].status == PositionStatus.PROTECTED
    watch.exchange.trigger(ProtectionKind.STOP)
    watch.run(20, every_s)
    assert watch.book.locked_by is None


def test_an_open_position_nobody_sees_filled_counts_from_its_first_sight() -> None:
    watch = sent("held", [], "never")
    watch.exchange.fill(PLAN.size)
    watch.run(1)
    [position] = watch.book.positions
    assert replace(position, naked_since=None).status == PositionStatus.NAKED
    assert position.naked_since == watch.now
