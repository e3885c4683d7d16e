"""From a sent order to a free symbol: protected while held, closed when naked, let go when flat and clean."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from apps.engine import events
from apps.engine.cycle import follow
from apps.engine.follow.action import CancelOrder, Unprotect
from apps.engine.follow.protection import closing_requests, has_confirmed_stop
from apps.engine.follow.symbol import FollowResult
from apps.engine.values.book import ExchangeBook, SymbolBook, TrackedOrder
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
    return PositionReport(symbol=SYMBOL, side=side, size=D(size), entry_price=D(1), opened_at=NOW)


def seen_at(seconds: float, **parts: Any) -> ExchangeBook:
    """All lists of the symbol as read then; nothing but `parts` is there."""
    times = dict.fromkeys(("orders_at", "positions_at", "protections_at", "fills_at"), at(seconds))
    return ExchangeBook(SYMBOL, **times, fills_since=NOW - timedelta(hours=1), **parts)


def followed(book: SymbolBook, seen: ExchangeBook, seconds: float) -> FollowResult:
    return follow(book, seen, contract(), constraints=CONSTRAINTS, off={}, now=at(seconds))


def test_a_position_opened_by_hand_is_reported_and_left_alone() -> None:
    first = followed(SymbolBook(SYMBOL), seen_at(1, positions=(position(),)), 1)
    assert [event.name for event in first.events] == ["position_foreign"]
    assert first.actions == ()
    later = followed(first.book, seen_at(60, positions=(position(),)), 60)
    assert (later.events, later.actions) == ((), ())


def adopted(filled: int) -> OrderReport:
    """An order with our prefix that no book knows."""
    return OrderReport(
        "x9", "tv3e" + "0" * 28, SYMBOL, Side.LONG, True, D(50), D(4), D(filled), D(50), True, NOW
    )


def test_an_order_with_our_prefix_that_no_book_knows_is_adopted_and_taken_back() -> None:
    result = followed(SymbolBook(SYMBOL), seen_at(1, orders=(adopted(0),)), 1)
    assert [event.name for event in result.events] == ["order_adopted", "order_cancel_asked"]
    assert len(result.actions) == 1


def test_what_an_adopted_order_filled_counts_as_protected_by_any_stop_and_is_closed_without_one() -> None:
    there: dict[str, Any] = {"orders": (adopted(2),), "positions": (position(2),)}
    naked = followed(SymbolBook(SYMBOL), seen_at(1, **there), 1)
    assert "position_opened" in [event.name for event in naked.events]
    closed = followed(naked.book, seen_at(6, **there), 6)
    assert "emergency_close" in [event.name for event in closed.events]
    stop = ProtectionReport("p", "", SYMBOL, Side.LONG, ProtectionKind.STOP, D(1), None)
    with_stop = followed(naked.book, seen_at(6, **there, protections=(stop,)), 6)
    assert "protected" in [event.name for event in with_stop.events]


def test_a_list_from_before_our_own_last_event_is_not_believed() -> None:
    book = replace(SymbolBook(SYMBOL), changed_at=at(2))
    result = followed(book, seen_at(1, positions=(position(),)), 3)
    assert result.events == ()
    assert result.soon


def opened() -> Follower:
    """A filled and protected position."""
    watch = sent()
    watch.exchange.fill(PLAN.size)
    watch.run(2)
    return watch


def test_a_position_that_is_only_absent_from_its_list_is_not_flat_and_keeps_its_stop() -> None:
    watch = opened()
    held, stops = dict(watch.exchange.held), dict(watch.exchange.stops)
    watch.exchange.held.clear()
    watch.run(300)
    assert watch.names()[-1] == "position_flat_seen"
    assert watch.exchange.stops == stops
    assert watch.book.locked_by == PLAN.decision_key
    watch.exchange.held.update(held)
    watch.run(1)
    [position] = watch.book.positions
    assert (position.status, position.flat_since) == (PositionStatus.PROTECTED, None)


def test_a_position_gone_with_its_stop_but_without_a_closing_trade_is_believed_flat_a_minute_later() -> None:
    watch = opened()
    watch.exchange.held.clear()
    watch.exchange.stops.clear()
    watch.run(55)
    assert len(watch.book.positions) == 1
    watch.run(15)
    assert watch.book.positions == ()
    assert watch.book.locked_by is None


def test_a_position_nobody_traded_is_believed_flat_after_two_reads_two_seconds_apart() -> None:
    watch = opened()
    watch.exchange.held.clear()
    watch.exchange.stops.clear()
    watch.exchange.trades.clear()
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


@pytest.mark.parametrize("shown", ["nowhere", "in the list", "by a look-up"])
def test_a_cancel_is_asked_again_only_of_an_order_that_is_still_shown_open(shown: str) -> None:
    """A look-up tells how one that is gone ended; asking again would put the look-up off."""
    order = replace(sent().order, status=S.SUBMITTED, exchange_order_id="1", cancel_asked_at=at(61))
    book = SymbolBook(SYMBOL, locked_by=PLAN.decision_key, changed_at=at(61), orders=(order,))
    report = OrderReport(
        "1", order.client_order_id, SYMBOL, order.side, True, order.price, order.size, D(0), D(0), True, at(1)
    )
    seen = seen_at(64, orders=(report,) if shown == "in the list" else ())
    if shown == "by a look-up":
        seen = replace(seen, looked_up={order.client_order_id: report})
    names = [event.name for event in followed(book, seen, 65).events]
    assert ("order_cancel_asked" in names) == (shown != "nowhere")


def test_an_order_that_may_not_have_left_yet_is_not_taken_back_before_it_must_have() -> None:
    """Its cancel would outrun it, and then nobody would ask again at once."""
    book = SymbolBook(SYMBOL, locked_by=PLAN.decision_key, orders=(TrackedOrder.of(PLAN),))
    off = {"GLOBAL": "enough"}

    def cancels(seconds: int) -> list[Any]:
        result = follow(book, seen_at(seconds), contract(), constraints=CONSTRAINTS, off=off, now=at(seconds))
        return [action for action in result.actions if isinstance(action, CancelOrder)]

    assert cancels(10) == []
    assert cancels(11) == [CancelOrder(SYMBOL, PLAN.client_order_id)]


@pytest.mark.parametrize(
    ("price", "side", "is_ours"),
    [
        (PLAN.stop, PLAN.side, True),
        (PLAN.target, PLAN.side, True),
        (D(40_000), PLAN.side, False),
        (PLAN.stop, Side.SHORT, False),
    ],
)
def test_an_attached_stop_that_a_list_shows_only_after_the_symbol_was_free_is_taken_back(
    price: Any, side: Side, is_ours: bool
) -> None:
    """It has no client id; somebody else's at another price, or on the other side, stays."""
    order = replace(sent().order, status=S.FILLED, exchange_order_id="1", filled=PLAN.size)
    book = SymbolBook(SYMBOL, changed_at=at(20), orders=(order,))
    late = ProtectionReport("p", "", SYMBOL, side, ProtectionKind.STOP, price, D(4))
    result = followed(book, seen_at(25, protections=(late,)), 25)
    assert result.actions == ((Unprotect(SYMBOL, "p"),) if is_ours else ())
    held = seen_at(25, protections=(late,), positions=(position(),))
    assert Unprotect(SYMBOL, "p") not in followed(book, held, 25).actions
