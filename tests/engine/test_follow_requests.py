"""What a person wants closed, and what was opened by hand and is adopted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.engine import events
from apps.engine.cycle import follow
from apps.engine.follow.action import Close, Protect
from apps.engine.follow.foreign import foreign_stop
from apps.engine.follow.symbol import FollowResult
from apps.engine.values.book import CloseRequest, SymbolBook
from apps.engine.values.contract import Contract
from apps.engine.values.order import ProtectionKind, ProtectionReport
from apps.engine.values.position import PositionReport, PositionStatus, Side
from tests.engine.follower import Follower
from tests.engine.test_follow import opened, seen_at, sent
from tests.engine.trade_builder import CONSTRAINTS, NOW, SYMBOL, D, at, contract

ADA = CloseRequest(Side.LONG, "ada", "news")


def asked(watch: Follower, **how: Any) -> Follower:
    watch.book = replace(watch.book, close_requests=(replace(ADA, **how),))
    return watch


def by_hand(mark: str | None = None, *, side: Side = Side.LONG, size: int = 7) -> PositionReport:
    return PositionReport(SYMBOL, side, D(size), D(50_000), NOW, None if mark is None else D(mark))


def adopting(book: SymbolBook, seconds: float, listed: Contract | None = None, **parts: Any) -> FollowResult:
    return follow(
        book,
        seen_at(seconds, **parts),
        contract() if listed is None else listed,
        constraints=CONSTRAINTS,
        off={},
        now=at(seconds),
        adopt_foreign=True,
    )


def stop_at(price: int, side: Side = Side.LONG, size: int | None = None) -> ProtectionReport:
    return ProtectionReport(
        "s", "", SYMBOL, side, ProtectionKind.STOP, D(price), None if size is None else D(size)
    )


def test_a_request_closes_in_slices_the_market_takes_at_the_next_look_and_ends_flat_and_free() -> None:
    watch = asked(opened())
    watch.run(1)
    closes = [request for request in watch.exchange.requests if not request.opens]
    assert [request.size for request in closes] == [D(5), D(5), D(4)]
    assert all(request.price is None and request.side == Side.LONG for request in closes)
    watch.run(4)
    assert watch.names()[-3:] == ["position_closed", "close_request_done", "symbol_released"]
    assert (watch.book.close_requests, watch.exchange.stops, watch.book.locked_by) == ((), {}, None)
    assert "emergency_close" not in watch.names()
    assert watch.alarms == []


def test_a_request_says_who_asked_and_why() -> None:
    watch = asked(opened())
    watch.run(1)
    [closed] = [event for event in watch.told if isinstance(event, events.RequestedClose)]
    assert (closed.detail, closed.position.status) == ("ada: news", PositionStatus.CLOSING)


def test_a_request_is_for_its_side_only() -> None:
    watch = asked(opened(), side=Side.SHORT)
    watch.run(3)
    assert watch.exchange.held
    assert watch.names()[-1:] == ["close_request_done"]


def test_a_request_waits_until_what_still_fills_is_over_and_closes_that_too() -> None:
    watch = sent()
    watch.run(1)
    watch.exchange.fill(D(3))
    asked(watch).exchange.calls = ["ok", "rejected", "rejected"]  # the close works, the first cancels do not
    watch.run(2)
    watch.exchange.fill(D(2))
    watch.run(8)
    assert not watch.exchange.held
    assert not watch.exchange.resting
    assert watch.book.close_requests == ()
    assert watch.book.locked_by is None
    assert watch.names().index("close_request_done") > watch.names().index("order_cancelled")


def test_a_requested_close_that_keeps_failing_alarms_and_goes_on() -> None:
    watch = asked(opened())
    watch.exchange.calls = ["unreachable"] * 15
    watch.run(20)
    assert len(watch.alarms) == 1
    assert not watch.exchange.held
    assert "emergency_close" not in watch.names()


def test_a_request_is_not_done_while_the_positions_are_not_known() -> None:
    book = SymbolBook(SYMBOL, close_requests=(ADA,))
    unknown = follow(
        book,
        replace(seen_at(1), positions_at=None),
        contract(),
        constraints=CONSTRAINTS,
        off={},
        now=at(1),
    )
    assert (unknown.events, unknown.book.close_requests) == ((), (ADA,))
    assert unknown.soon
    known = follow(book, seen_at(1), contract(), constraints=CONSTRAINTS, off={}, now=at(1))
    assert [event.name for event in known.events] == ["close_request_done"]


@pytest.mark.parametrize("foreign", [True, False])
def test_what_is_not_ours_is_closed_only_when_that_is_asked_for(foreign: bool) -> None:
    held = follow(
        SymbolBook(SYMBOL),
        seen_at(1, positions=(by_hand(),)),
        contract(),
        constraints=CONSTRAINTS,
        off={},
        now=at(1),
    ).book
    held = replace(held, close_requests=(replace(ADA, foreign=foreign),))
    seen = seen_at(2, positions=(by_hand(),))
    result = follow(held, seen, contract(), constraints=CONSTRAINTS, off={}, now=at(2))
    assert bool([action for action in result.actions if isinstance(action, Close)]) == foreign
    assert [event.name for event in result.events] == ["requested_close" if foreign else "close_request_done"]
    assert result.book.positions[0].status == PositionStatus.FOREIGN


def test_an_entry_that_only_rests_is_taken_back_and_the_request_done() -> None:
    watch = sent()
    watch.run(1)
    asked(watch).run(1)
    assert "order_cancel_asked" in watch.names()
    watch.run(3)
    assert (watch.exchange.resting, watch.book.close_requests) == ({}, ())
    assert not [action for action in watch.exchange.requests if not action.opens]


@pytest.mark.parametrize(
    ("side", "mark", "stop"),
    [
        (Side.LONG, None, "47500"),
        (Side.LONG, "49000", "47500"),
        (Side.LONG, "47500", "45125"),
        (Side.LONG, "40000", "38000"),
        (Side.SHORT, "51000", "52500"),
        (Side.SHORT, "60000", "63000"),
    ],
)
def test_an_adopted_stop_lies_5_pct_from_the_entry_or_beyond_a_mark_that_passed_it(
    side: Side, mark: str | None, stop: str
) -> None:
    assert foreign_stop(by_hand(mark, side=side), D("0.1")) == D(stop)


def test_an_adopted_stop_is_rounded_away_from_the_entry() -> None:
    odd = replace(by_hand(), entry_price=D("100.07"))
    assert foreign_stop(odd, D("0.1")) == D("95.0")
    assert foreign_stop(replace(odd, side=Side.SHORT), D("0.1")) == D("105.1")


def test_an_adopted_position_gets_a_stop_stays_foreign_and_is_left_alone_once_it_has_it() -> None:
    first = adopting(SymbolBook(SYMBOL), 1, positions=(by_hand("50000"),))
    assert [event.name for event in first.events] == ["position_foreign", "naked", "protection_asked"]
    [protect] = first.actions
    assert isinstance(protect, Protect)
    assert (protect.kind, protect.trigger_price) == (ProtectionKind.STOP, D(47_500))
    later: dict[str, Any] = {"positions": (by_hand("50000"),), "protections": (stop_at(47_500),)}
    protected = adopting(first.book, 2, **later)
    assert [event.name for event in protected.events] == ["protected"]
    assert protected.book.positions[0].status == PositionStatus.FOREIGN
    quiet = adopting(protected.book, 60, **later)
    assert (quiet.events, quiet.actions) == ((), ())


@pytest.mark.parametrize("price", [30_000, 49_999])
def test_a_stop_of_its_owner_stands_wherever_it_lies(price: int) -> None:
    result = adopting(SymbolBook(SYMBOL), 1, positions=(by_hand(),), protections=(stop_at(price),))
    assert [event.name for event in result.events] == ["position_foreign"]
    assert result.actions == ()


def test_a_stop_for_a_part_of_it_is_not_enough() -> None:
    part = stop_at(49_000, size=3)
    result = adopting(SymbolBook(SYMBOL), 1, positions=(by_hand(),), protections=(part,))
    assert [type(action) for action in result.actions] == [Protect]


def test_an_adopted_position_without_a_stop_is_never_closed_and_asked_for_more_rarely() -> None:
    book, calls = SymbolBook(SYMBOL), 0
    names: list[str] = []
    for second in range(1, 128):
        result = adopting(book, second, positions=(by_hand("50000"),))
        book, calls = result.book, calls + len(result.actions)
        names += [event.name for event in result.events]
        assert all(isinstance(action, Protect) for action in result.actions)
    assert calls == 3 + 2
    assert names.count("naked") == 1


def test_the_price_of_its_first_stop_stays_and_is_not_placed_once_the_mark_has_passed_it() -> None:
    book = adopting(SymbolBook(SYMBOL), 1, positions=(by_hand("50000"),)).book
    moved = replace(by_hand("49000"), entry_price=D(40_000), size=D(14))
    [again] = adopting(book, 4, positions=(moved,)).actions
    assert isinstance(again, Protect)
    assert again.trigger_price == D(47_500)
    assert adopting(book, 4, positions=(by_hand("47500"),)).actions == ()


def test_of_a_contract_nobody_lists_no_tick_is_known_and_none_is_guessed() -> None:
    result = follow(
        SymbolBook(SYMBOL),
        seen_at(1, positions=(by_hand(),)),
        None,
        constraints=CONSTRAINTS,
        off={},
        now=at(1),
        adopt_foreign=True,
    )
    assert [event.name for event in result.events] == ["position_foreign", "naked"]
    assert result.actions == ()


def test_a_cancel_of_what_rests_says_whose_wish_it_was() -> None:
    watch = sent()
    watch.run(1)
    asked(watch).run(1)
    [cancel] = [event for event in watch.told if isinstance(event, events.OrderCancelAsked)]
    assert cancel.detail == "ada closes its side: news"
