"""Lists of different moments are not one picture: what is believed, what is not known yet, whose it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.engine import events
from apps.engine.cycle import follow
from apps.engine.follow.action import CancelOrder, Close, Protect, Unprotect
from apps.engine.follow.book import book_after
from apps.engine.follow.orders import suspect_lookups
from apps.engine.follow.symbol import FollowResult
from apps.engine.values.book import ExchangeBook, SymbolBook, TrackedOrder
from apps.engine.values.order import Fill, OrderReport, OrderStatus, ProtectionKind, ProtectionReport
from apps.engine.values.position import PositionReport, PositionStatus, Side
from tests.engine.trade_builder import CONSTRAINTS, NOW, SYMBOL, D, at, contract, planned

S = OrderStatus
PLAN = planned()
ORDER = replace(TrackedOrder.of(PLAN), status=S.SUBMITTED, exchange_order_id="x1")


def booked(*orders: TrackedOrder) -> SymbolBook:
    """A book whose lock PLAN holds."""
    claimed = events.PlanClaimed(symbol=SYMBOL, at=NOW, plan=PLAN, status=S.SUBMITTING)
    return replace(book_after(SymbolBook(SYMBOL), [claimed]), orders=orders)


def report(filled: int = 0, *, is_open: bool = True) -> OrderReport:
    client_id, average = PLAN.client_order_id, PLAN.entry if filled else D(0)
    return OrderReport(
        "x1", client_id, SYMBOL, PLAN.side, True, PLAN.entry, PLAN.size, D(filled), average, is_open, NOW
    )


def position(size: int = 14, mark: str | None = None) -> PositionReport:
    mark_price = None if mark is None else D(mark)
    return PositionReport(SYMBOL, PLAN.side, D(size), PLAN.entry, at(1), mark_price)


def trade(order_id: str, size: int, *, opens: bool = True, seconds: float = 1) -> Fill:
    trade_id = f"{order_id}-{opens}-{seconds}"
    return Fill(
        trade_id, order_id, SYMBOL, PLAN.side, opens, PLAN.entry, D(size), D(0), D(0), True, at(seconds)
    )


def stop() -> ProtectionReport:
    return ProtectionReport("p1", "", SYMBOL, PLAN.side, ProtectionKind.STOP, PLAN.stop, None)


def lists(seconds: float, **parts: Any) -> ExchangeBook:
    """The three lists, complete as of then; no trades are known."""
    times = dict.fromkeys(("orders_at", "positions_at", "protections_at"), at(seconds))
    return ExchangeBook(SYMBOL, **(times | parts))


def traded(seen: ExchangeBook, *fills: Fill, seconds: float = 2) -> ExchangeBook:
    return replace(seen, fills=fills, fills_at=at(seconds), fills_since=NOW - timedelta(hours=2))


def followed(book: SymbolBook, seen: ExchangeBook, now: datetime) -> FollowResult:
    return follow(book, seen, contract(), constraints=CONSTRAINTS, off={}, now=now)


def names(result: FollowResult) -> list[str]:
    return [event.name for event in result.events]


def of_kind(result: FollowResult, kind: type) -> list[Any]:
    return [action for action in result.actions if isinstance(action, kind)]


# whose it is


def test_a_position_beside_our_resting_entry_is_not_ours_whatever_list_came_first() -> None:
    first = followed(booked(ORDER), lists(2, orders=(report(),), positions=(position(3),)), at(2))
    assert (first.events, first.actions, first.soon) == ((), (), True), "not known yet"
    looked_up = {PLAN.client_order_id: report()}
    seen = lists(2, orders=(report(),), positions=(position(3),), looked_up=looked_up)
    sure = followed(first.book, traded(seen, trade("hand", 3)), at(3))
    assert "position_foreign" in names(sure)
    assert of_kind(sure, Close) == []
    assert of_kind(sure, Protect) == []
    assert of_kind(sure, CancelOrder) != [], "our entry would join it"


def test_a_position_whose_order_is_gone_from_the_open_ones_is_protected_before_anything_is_looked_up() -> (
    None
):
    result = followed(booked(ORDER), lists(2, positions=(position(),)), at(2))
    assert [type(action) for action in result.actions] == [Protect]
    assert result.book.positions[0].decision_key == PLAN.decision_key


def test_a_position_taken_for_ours_that_others_opened_by_its_trades_is_theirs() -> None:
    first = followed(booked(ORDER), lists(2, positions=(position(3),)), at(2))
    looked_up = {PLAN.client_order_id: report(is_open=False)}
    seen = traded(lists(3, positions=(position(3),), looked_up=looked_up), trade("hand", 3))
    result = followed(first.book, seen, at(3))
    assert result.book.positions[0].status == PositionStatus.FOREIGN
    assert of_kind(result, Close) == []


def test_a_position_taken_for_that_of_an_order_in_doubt_is_theirs_once_all_of_ours_were_looked_up() -> None:
    """Also those that were denied or refused: else they leave it ours, and the symbol locked, for ever."""
    plan = planned(scaling=(0.5, 0.5))
    first, second = TrackedOrder.all_of(plan)
    orders = (replace(first, status=S.UNKNOWN), replace(second, status=S.DENIED))
    taken = followed(booked(*orders), lists(2, positions=(position(1),)), at(2))
    assert "position_opened" in names(taken)
    later = lists(3, positions=(position(1),))
    both = {order.client_order_id for order in orders}
    assert set(suspect_lookups(taken.book, later)) == both
    absent = traded(replace(later, looked_up=dict.fromkeys(both)), trade("hand", 1), seconds=3)
    assert "position_foreign" in names(followed(taken.book, absent, at(3)))


def test_a_position_of_others_that_our_fill_joins_is_protected() -> None:
    foreign = followed(SymbolBook(SYMBOL), lists(0.5, positions=(position(3),)), at(0.5)).book
    book = replace(foreign, orders=(ORDER,), locked_by=PLAN.decision_key)
    looked_up = {PLAN.client_order_id: report(14, is_open=False)}
    result = followed(book, lists(2, positions=(position(17),), looked_up=looked_up), at(2))
    assert [type(action) for action in result.actions] == [Protect]
    assert result.book.positions[0].size == D(17)


def test_what_was_closed_in_our_book_and_is_there_again_is_taken_back_by_its_trades() -> None:
    over = replace(ORDER, status=S.FILLED, filled=PLAN.size, average_price=PLAN.entry)
    book = replace(booked(over), locked_by=None)
    alone = followed(book, lists(9, positions=(position(),)), at(9))
    assert (alone.events, alone.soon) == ((), True), "its trades are not known yet"
    result = followed(book, traded(lists(9, positions=(position(),)), trade("x1", 14), seconds=9), at(9))
    assert "position_foreign" not in names(result)
    assert result.book.positions[0].decision_key == PLAN.decision_key
    assert result.book.locked_by == PLAN.decision_key, "what lives counts in every limit"
    assert [type(action) for action in result.actions] == [Protect]


def test_a_list_that_still_shows_what_its_trades_closed_makes_nothing_foreign() -> None:
    over = replace(ORDER, status=S.FILLED, filled=PLAN.size, average_price=PLAN.entry)
    fills = (trade("x1", 14), trade("s", 14, opens=False, seconds=5))
    result = followed(booked(over), traded(lists(7, positions=(position(),)), *fills, seconds=7), at(7))
    assert "position_foreign" not in names(result)
    assert "position_opened" not in names(result)


# stops


def test_the_stop_of_an_entry_that_filled_between_two_lists_is_never_taken_away() -> None:
    result = followed(booked(ORDER), lists(2, orders=(report(),), protections=(stop(),)), at(2))
    assert of_kind(result, Unprotect) == []


def test_the_stop_of_an_entry_that_may_have_filled_stays_though_no_trade_is_shown_yet() -> None:
    late = traded(lists(2, orders=(report(),), protections=(stop(),)))
    assert of_kind(followed(booked(ORDER), late, at(2)), Unprotect) == []


@pytest.mark.parametrize("known", [False, True])
def test_a_stop_without_a_position_goes_only_when_the_trades_say_that_nothing_is_held(known: bool) -> None:
    late = replace(ORDER, status=S.CANCELLED)
    seen = lists(2, protections=(stop(),))
    fills = (trade("x1", 14),) if known else ()
    result = followed(booked(late), traded(seen, *fills), at(2))
    assert of_kind(result, Unprotect) == ([] if known else [Unprotect(SYMBOL, "p1")])
    assert "symbol_released" not in names(result)
    unread = followed(booked(late), seen, at(2))
    assert of_kind(unread, Unprotect) == []
    assert "symbol_released" not in names(unread)


def test_what_protects_a_side_that_our_decision_is_not_on_is_not_ours_to_take_back() -> None:
    """Somebody's stop may outlive his position, or be listed before it: it holds no lock of ours either."""
    over = replace(ORDER, status=S.CANCELLED)
    theirs = replace(stop(), side=Side.SHORT)
    result = followed(booked(over), traded(lists(70, protections=(theirs,)), seconds=70), at(70))
    assert of_kind(result, Unprotect) == []
    assert names(result) == ["cooldown_set", "symbol_released"]


def test_a_position_that_only_its_trades_show_gets_its_stop_and_is_not_closed_blindly() -> None:
    order = replace(ORDER, status=S.FILLED, filled=PLAN.size, average_price=PLAN.entry)
    looked_up = {PLAN.client_order_id: report(14, is_open=False)}
    first = followed(booked(ORDER), lists(2, looked_up=looked_up), at(2))
    assert first.book.positions[0].status == PositionStatus.NAKED
    assert first.book.orders == (replace(order, absent_reads=0),)
    later = followed(first.book, traded(lists(9), trade("x1", 14), seconds=9), at(9))
    assert [type(action) for action in later.actions] == [Protect]


def test_stops_that_cannot_be_read_are_neither_gone_nor_asked_for_again_and_again() -> None:
    seen = lists(2, positions=(position(),), protections_at=None)
    first = followed(booked(ORDER), seen, at(2))
    assert [type(action) for action in first.actions] == [Protect], "two stops are legal, none is not"
    for seconds in (5, 8, 30):
        later = followed(
            first.book, lists(seconds, positions=(position(),), protections_at=None), at(seconds)
        )
        assert later.actions == ()
        assert later.book.positions[0].status == PositionStatus.NAKED


@pytest.mark.parametrize(("mark", "kind"), [("49749", Close), ("49750", Close), ("49751", Protect)])
def test_a_naked_position_whose_stop_is_crossed_already_is_closed_at_once(mark: str, kind: type) -> None:
    result = followed(booked(ORDER), lists(2, positions=(position(mark=mark),)), at(2))
    assert {Close, Protect} & {type(action) for action in result.actions} == {kind}


# orders


def test_an_order_believed_over_that_rests_is_alive_again_locked_and_taken_back() -> None:
    over = replace(ORDER, status=S.CANCELLED)
    book = replace(booked(over), locked_by=None)
    result = followed(book, lists(70, orders=(report(),)), at(70))
    assert result.book.orders[0].status == S.SUBMITTED
    assert result.book.locked_by == PLAN.decision_key
    assert of_kind(result, CancelOrder) == [CancelOrder(SYMBOL, PLAN.client_order_id)]


def test_a_fill_after_the_locks_end_holds_the_symbol_again() -> None:
    over = replace(ORDER, status=S.EXPIRED)
    book = replace(booked(over), locked_by=None)
    looked_up = {PLAN.client_order_id: report(14, is_open=False)}
    result = followed(book, lists(90, positions=(position(),), looked_up=looked_up), at(90))
    assert result.book.locked_by == PLAN.decision_key
    assert [type(action) for action in result.actions] == [Protect]


# locks


def test_a_position_of_others_on_the_other_side_does_not_hold_our_lock() -> None:
    over = replace(ORDER, status=S.CANCELLED)
    other = replace(position(3), side=Side.SHORT)
    result = followed(booked(over), lists(70, positions=(other,)), at(70))
    assert names(result) == ["position_foreign", "cooldown_set", "symbol_released"]


@pytest.mark.parametrize("part", ["orders_at", "positions_at", "protections_at"])
def test_a_symbol_is_not_released_while_a_list_of_it_is_not_known(part: str) -> None:
    over = replace(ORDER, status=S.CANCELLED)
    result = followed(booked(over), lists(70, **{part: None}), at(70))
    assert "symbol_released" not in names(result)
