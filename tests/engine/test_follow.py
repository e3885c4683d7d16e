"""From a sent order to a free symbol: protected while held, closed when naked, let go when flat and clean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.engine import events
from apps.engine.cycle import follow
from apps.engine.follow.protection import closing_requests, has_confirmed_stop
from apps.engine.values.book import ExchangeBook, SymbolBook
from apps.engine.values.order import OrderReport, OrderStatus, ProtectionKind, ProtectionReport
from apps.engine.values.position import PositionReport, PositionStatus, Side
from tests.engine.follower import Follower
from tests.engine.tiny_exchange import Answer, TinyExchange
from tests.engine.trade_builder import CONSTRAINTS, NOW, SYMBOL, D, at, contract, planned

S = OrderStatus
PLAN = planned()


def sent(answer: Answer = "ok", **exchange: Any) -> Follower:
    """A claimed plan whose order was sent once."""
    follower = Follower(PLAN, TinyExchange(SYMBOL, NOW, answers=[answer], **exchange))
    try:
        follower.exchange.submit(PLAN.request(PLAN.client_order_id))
    except Exception:
        follower.heard(S.UNKNOWN)
    return follower


def kinds(follower: Follower) -> list[ProtectionKind]:
    return sorted(stop.kind for stop in follower.exchange.stops.values())


def test_an_order_rests_fills_is_protected_wins_and_the_symbol_is_free() -> None:
    watch = sent()
    watch.run(2)
    watch.exchange.fill(PLAN.size)
    watch.run(3)
    assert watch.book.positions[0].status == PositionStatus.PROTECTED
    watch.exchange.trigger(ProtectionKind.TARGET)
    watch.run(4)
    assert watch.names() == [
        "order_resting",
        "order_filled",
        "fill",
        "position_opened",
        "protected",
        "fill",
        "position_closed",
        "symbol_released",
    ]
    assert (watch.book.locked_by, watch.book.positions, watch.exchange.stops) == (None, (), {})


def test_an_unfilled_order_is_cancelled_at_its_time_and_the_symbol_rests_for_a_quarter_of_an_hour() -> None:
    watch = sent()
    watch.until(59)
    assert watch.order.status == S.SUBMITTED
    watch.until(65)
    assert watch.order.status == S.EXPIRED
    assert watch.names()[-4:] == ["order_cancel_asked", "order_expired", "cooldown_set", "symbol_released"]
    cooled = next(event for event in watch.told if isinstance(event, events.CooldownSet))
    assert (cooled.until - cooled.at).total_seconds() == 900


def test_a_partial_fill_keeps_its_position_and_its_protection_when_the_time_is_over() -> None:
    watch = sent()
    watch.run(2)
    watch.exchange.fill(D(3))
    watch.until(70)
    assert watch.order.status == S.EXPIRED
    assert watch.book.positions[0].size == D(3)
    assert watch.book.positions[0].status == PositionStatus.PROTECTED
    assert watch.book.locked_by == PLAN.decision_key
    assert kinds(watch) == [ProtectionKind.STOP, ProtectionKind.TARGET]


@pytest.mark.parametrize("preset", ["first_fill", "complete", "never"])
@pytest.mark.parametrize("fills", [[14], [3, 11], [3]])
def test_a_position_is_never_long_without_a_confirmed_stop(preset: Any, fills: list[int]) -> None:
    watch = sent(preset_on_partial=preset)
    for size in fills:
        watch.run(2)
        watch.exchange.fill(D(size))
    watch.run(2)
    [position] = watch.book.positions
    assert position.status == PositionStatus.PROTECTED
    assert has_confirmed_stop(position, list(watch.exchange.stops.values()))
    assert "emergency_close" not in watch.names()
    assert ProtectionKind.TARGET in kinds(watch)


def test_a_position_that_stays_naked_for_5_s_is_closed_at_market_in_slices() -> None:
    watch = sent(preset_on_partial="never", calls=["rejected"] * 3)
    watch.run(1)
    watch.exchange.fill(PLAN.size)
    watch.run(5)
    assert "emergency_close" not in watch.names()
    assert watch.names().count("protection_asked") == 3
    watch.run(1)
    closes = [request for request in watch.exchange.requests if not request.opens]
    assert [request.size for request in closes] == [D(5), D(5), D(4)]
    assert all(request.price is None and request.side == Side.LONG for request in closes)
    assert len({request.client_order_id for request in closes}) == 3
    watch.run(4)
    assert watch.names()[-2:] == ["position_closed", "symbol_released"]


def test_closes_that_fail_are_repeated_for_ever_and_the_third_alarms() -> None:
    watch = sent(preset_on_partial="never", calls=["rejected"] * 3 + ["unreachable"] * 12)
    watch.run(1)
    watch.exchange.fill(PLAN.size)
    watch.run(20)
    assert len(watch.alarms) == 1
    assert "14" in watch.alarms[0]
    assert watch.names().count("close_failing") == 1
    assert watch.book.locked_by is None
    assert not watch.exchange.held


def test_an_alarm_comes_again_each_minute() -> None:
    watch = sent(preset_on_partial="never", calls=["unreachable"] * 400)
    watch.run(1)
    watch.exchange.fill(PLAN.size)
    watch.run(135)
    assert len(watch.alarms) == 3


def test_a_stop_that_vanishes_is_placed_again() -> None:
    watch = sent()
    watch.exchange.fill(PLAN.size)
    watch.run(2)
    watch.exchange.stops.clear()
    watch.run(2)
    assert (
        watch.names()[-3:] == ["naked", "protection_asked", "protected"] or "protected" in watch.names()[-3:]
    )
    assert ProtectionKind.STOP in kinds(watch)


def test_a_stop_triggered_while_the_rest_still_rests_takes_the_rest_back() -> None:
    watch = sent()
    watch.run(1)
    watch.exchange.fill(D(3))
    watch.run(2)
    watch.exchange.trigger(ProtectionKind.STOP)
    watch.run(5)
    assert watch.order.status == S.CANCELLED
    assert watch.book.locked_by is None
    assert (watch.exchange.resting, watch.exchange.stops) == ({}, {})


def test_a_leftover_target_is_cancelled_before_the_symbol_is_free() -> None:
    watch = sent(calls=["ok"])
    watch.exchange.fill(PLAN.size)
    watch.run(2)
    watch.exchange.trigger(ProtectionKind.STOP)
    assert kinds(watch) == [ProtectionKind.TARGET]
    watch.exchange.calls = ["lost", "unreachable"]
    watch.run(2)
    assert watch.book.locked_by == PLAN.decision_key
    watch.run(3)
    assert watch.exchange.stops == {}
    assert watch.book.locked_by is None


def test_a_switch_takes_back_what_rests_and_leaves_what_is_held_protected() -> None:
    watch = sent()
    watch.run(1)
    watch.exchange.fill(D(3))
    watch.run(1)
    watch.off = {"GLOBAL": "enough"}
    watch.run(3)
    assert watch.order.status == S.CANCELLED
    assert watch.book.positions[0].status == PositionStatus.PROTECTED
    assert kinds(watch) == [ProtectionKind.STOP, ProtectionKind.TARGET]


def test_an_unanswered_order_that_exists_is_found_and_followed() -> None:
    watch = sent("held")
    watch.run(1)
    assert watch.order.status == S.SUBMITTED
    watch.exchange.fill(PLAN.size)
    watch.run(2)
    assert watch.book.positions[0].status == PositionStatus.PROTECTED


def test_an_unanswered_order_is_looked_up_at_its_times_and_given_up_only_when_it_cannot_arrive() -> None:
    watch = sent("lost")
    watch.run(100)
    looked_up = [
        (event.at - NOW).total_seconds() for event in watch.told if isinstance(event, events.OrderLookedUp)
    ]
    assert looked_up == [1, 3, 10, 30, 80]
    [gone] = [event for event in watch.told if isinstance(event, events.OrderNeverArrived)]
    assert (gone.at - NOW).total_seconds() == 81
    assert watch.names()[-1] == "symbol_released"
    assert watch.exchange.requests == [], "it is never sent again"


def test_an_order_that_arrives_after_all_is_followed_and_protected() -> None:
    watch = sent("lost")
    watch.run(75)
    watch.exchange.place(PLAN.request(PLAN.client_order_id))
    watch.exchange.fill(PLAN.size)
    watch.run(4)
    assert watch.book.positions[0].status == PositionStatus.PROTECTED
    assert watch.book.locked_by == PLAN.decision_key


def test_a_position_of_an_order_given_up_is_ours_again() -> None:
    watch = sent("lost")
    watch.run(90)
    watch.exchange.place(PLAN.request(PLAN.client_order_id))
    watch.exchange.fill(PLAN.size)
    watch.run(3)
    [position] = watch.book.positions
    assert (position.status, position.decision_key) == (PositionStatus.PROTECTED, PLAN.decision_key)
    assert position.stop == PLAN.stop


def test_a_sender_that_died_leaves_an_unknown_order() -> None:
    watch = Follower(PLAN, TinyExchange(SYMBOL, NOW))
    watch.until(15)
    assert watch.order.status == S.SUBMITTING
    watch.until(16)
    assert watch.order.status == S.UNKNOWN


def test_a_trade_that_is_over_between_two_looks_leaves_its_position_behind_it() -> None:
    watch = sent()
    watch.exchange.fill(PLAN.size)
    watch.exchange.trigger(ProtectionKind.STOP)
    watch.run(1)
    assert "position_opened" in watch.names()
    watch.run(4)
    assert watch.names()[-2:] == ["position_closed", "symbol_released"]


def position(size: int = 7, side: Side = Side.LONG) -> PositionReport:
    numbers = dict.fromkeys(
        ("entry_price", "mark_price", "margin", "unrealised", "realised", "liquidation_price"), D(1)
    )
    return PositionReport(
        symbol=SYMBOL, side=side, size=D(size), leverage=3, isolated=True, opened_at=NOW, **numbers
    )


def test_a_position_opened_by_hand_is_reported_and_left_alone() -> None:
    book = SymbolBook(SYMBOL)
    seen = ExchangeBook(SYMBOL, at(1), positions=(position(),))
    followed = follow(book, seen, contract(), constraints=CONSTRAINTS, off={}, now=at(1))
    assert [event.name for event in followed.events] == ["position_foreign"]
    assert followed.actions == ()
    later = follow(
        followed.book, replace(seen, read_at=at(60)), contract(), constraints=CONSTRAINTS, off={}, now=at(60)
    )
    assert (later.events, later.actions) == ((), ())


def test_an_order_with_our_prefix_that_no_book_knows_is_adopted_and_taken_back() -> None:
    report = OrderReport("x9", "tv3e" + "0" * 28, SYMBOL, Side.LONG, True, D(50), D(4), D(0), D(0), True, NOW)
    followed = follow(
        SymbolBook(SYMBOL),
        ExchangeBook(SYMBOL, at(1), orders=(report,)),
        contract(),
        constraints=CONSTRAINTS,
        off={},
        now=at(1),
    )
    assert [event.name for event in followed.events] == ["order_adopted", "order_cancel_asked"]
    assert len(followed.actions) == 1


def test_what_an_adopted_order_filled_counts_as_protected_by_any_stop_and_is_closed_without_one() -> None:
    report = OrderReport(
        "x9", "tv3e" + "0" * 28, SYMBOL, Side.LONG, True, D(50), D(4), D(2), D(50), True, NOW
    )
    seen = ExchangeBook(SYMBOL, at(1), orders=(report,), positions=(position(2),))
    naked = follow(SymbolBook(SYMBOL), seen, contract(), constraints=CONSTRAINTS, off={}, now=at(1))
    assert "position_opened" in [event.name for event in naked.events]
    closed = follow(
        naked.book, replace(seen, read_at=at(6)), contract(), constraints=CONSTRAINTS, off={}, now=at(6)
    )
    assert "emergency_close" in [event.name for event in closed.events]
    stop = ProtectionReport("p", "", SYMBOL, Side.LONG, ProtectionKind.STOP, D(1), None)
    with_stop = follow(
        naked.book,
        replace(seen, read_at=at(6), protections=(stop,)),
        contract(),
        constraints=CONSTRAINTS,
        off={},
        now=at(6),
    )
    assert "protected" in [event.name for event in with_stop.events]


def test_a_read_from_before_our_own_last_event_is_not_believed() -> None:
    book = replace(SymbolBook(SYMBOL), changed_at=at(2))
    seen = ExchangeBook(SYMBOL, at(1), positions=(position(),))
    assert follow(book, seen, contract(), constraints=CONSTRAINTS, off={}, now=at(3)).events == ()


def test_flat_is_believed_after_two_reads_two_seconds_apart_and_not_before() -> None:
    watch = sent()
    watch.exchange.fill(PLAN.size)
    watch.run(2)
    held_before = dict(watch.exchange.held)
    watch.exchange.held.clear()
    watch.run(1)
    assert watch.names()[-1] == "position_flat_seen"
    watch.exchange.held.update(held_before)
    watch.run(1)
    assert watch.book.positions[0].flat_since is None
    watch.exchange.held.clear()
    watch.run(2)
    assert len(watch.book.positions) == 1
    watch.run(1)
    assert watch.book.positions == ()


@pytest.mark.parametrize(
    ("kind", "side", "price", "size", "counts"),
    [
        (ProtectionKind.STOP, Side.LONG, "49750", None, True),
        (ProtectionKind.STOP, Side.LONG, "49760", "14", True),
        (ProtectionKind.STOP, Side.LONG, "49749.9", None, False),
        (ProtectionKind.STOP, Side.LONG, "49750", "13", False),
        (ProtectionKind.STOP, Side.SHORT, "49750", None, False),
        (ProtectionKind.TARGET, Side.LONG, "49750", None, False),
    ],
)
def test_a_stop_counts_on_its_side_at_its_price_or_tighter_for_the_whole_position(
    kind: ProtectionKind, side: Side, price: str, size: str | None, counts: bool
) -> None:
    watch = sent()
    watch.exchange.fill(PLAN.size)
    watch.run(1)
    report = ProtectionReport("p", "", SYMBOL, side, kind, D(price), None if size is None else D(size))
    assert has_confirmed_stop(watch.book.positions[0], [report]) is counts


def test_slices_add_up_and_none_is_above_what_the_market_takes() -> None:
    for most, sizes in (("7", ["7"]), ("3", ["3", "3", "1"]), ("0", ["7"]), ("100", ["7"])):
        slices = closing_requests(position(), contract(market_max_volume=D(most)), "key", 0)
        assert [request.size for request in slices] == [D(size) for size in sizes]
        assert all(not request.opens for request in slices)
    [whole] = closing_requests(position(), None, "key", 0)
    assert whole.size == D(7)
