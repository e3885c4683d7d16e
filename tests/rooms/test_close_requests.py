"""What a person may ask to have closed, kept once with its author, until the watch ends it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError

from apps.audit.models import OperatorAction
from apps.engine import events
from apps.engine.values.book import CloseRequest as Request
from apps.engine.values.order import OrderStatus
from apps.engine.values.position import PositionStatus, Side
from apps.live.flatten import flatten
from apps.orders import store as orders
from apps.orders.models import CloseRequest, Position
from apps.switches import store as switches
from tests.rooms.fill_trading import ledger
from tests.rooms.trades import ACCOUNT, NOW, at, order, plan, position

pytestmark = pytest.mark.django_db
SIGNED: dict[str, Any] = {"reason": "news", "actor": "ada", "now": at(10)}


def hold(symbol: str = "BTCUSDT", side: Side = Side.LONG, **changes: Any) -> None:
    traded = plan(symbol, side=side)
    held = position(traded, **changes)
    ledger().record([events.PositionOpened(symbol=symbol, at=at(3), position=held)])


def rest(symbol: str) -> None:
    traded = plan(symbol)
    ledger().claim(traded, NOW)
    resting = order(traded, OrderStatus.SUBMITTED)
    ledger().record([events.OrderResting(symbol=symbol, at=at(3), order=resting)])


def sides(rows: list[CloseRequest]) -> list[tuple[str, str]]:
    return [(row.symbol, str(row.side)) for row in rows]


def test_a_request_is_kept_with_its_author_and_is_in_the_book_until_it_is_done() -> None:
    hold()
    [row] = orders.request_close(ACCOUNT, "BTCUSDT", **SIGNED)
    action = OperatorAction.objects.get(action="close_position")
    assert (action.actor, action.target, action.reason) == ("ada", "BTCUSDT long", "news")
    assert (action.happened_at, action.extra["request"]) == (at(10), row.pk)
    assert orders.book(ACCOUNT, "BTCUSDT", at(11)).close_requests == (Request(Side.LONG, "ada", "news"),)
    done = events.CloseRequestDone(symbol="BTCUSDT", at=at(12), side=Side.LONG, detail="flat")
    ledger().record([done])
    row.refresh_from_db()
    assert (row.done_at, row.outcome) == (at(12), "flat")
    assert orders.book(ACCOUNT, "BTCUSDT", at(13)).close_requests == ()


def test_both_sides_are_meant_unless_one_is_named() -> None:
    hold()
    hold(side=Side.SHORT)
    assert sides(orders.request_close(ACCOUNT, "BTCUSDT", side=Side.SHORT, **SIGNED)) == [
        ("BTCUSDT", "short")
    ]
    assert sides(orders.request_close(ACCOUNT, "BTCUSDT", **SIGNED)) == [("BTCUSDT", "long")]


def test_what_is_flat_is_refused_naming_the_nearest_that_is_open() -> None:
    hold()
    with pytest.raises(orders.NothingToClose, match=r"BTCUSD is flat.*nearest: 'BTCUSDT'"):
        orders.request_close(ACCOUNT, "BTCUSD", **SIGNED)
    with pytest.raises(orders.NothingToClose, match="BTCUSDT short is flat"):
        orders.request_close(ACCOUNT, "BTCUSDT", side=Side.SHORT, **SIGNED)
    assert not CloseRequest.objects.exists()


def test_what_was_asked_for_is_not_asked_for_twice() -> None:
    hold()
    orders.request_close(ACCOUNT, "BTCUSDT", **SIGNED)
    with pytest.raises(orders.AlreadyAsked, match="asked for already"):
        orders.request_close(ACCOUNT, "BTCUSDT", **SIGNED)
    assert OperatorAction.objects.filter(action="close_position").count() == 1


@pytest.mark.parametrize("unsigned", [{"reason": " "}, {"actor": ""}])
def test_a_request_without_a_reason_or_an_author_is_refused(unsigned: dict[str, str]) -> None:
    hold()
    with pytest.raises(orders.CloseUnsigned):
        orders.request_close(ACCOUNT, "BTCUSDT", **SIGNED | unsigned)
    with pytest.raises(IntegrityError):
        CloseRequest.objects.create(
            account=ACCOUNT, symbol="BTCUSDT", side=Side.LONG, reason="", asked_by="ada", asked_at=NOW
        )


def test_what_we_did_not_open_is_refused_until_it_is_asked_for() -> None:
    hold(decision_key="", status=PositionStatus.FOREIGN)
    with pytest.raises(orders.NotOurs):
        orders.request_close(ACCOUNT, "BTCUSDT", **SIGNED)
    [row] = orders.request_close(ACCOUNT, "BTCUSDT", foreign=True, **SIGNED)
    assert row.foreign


def test_flatten_stops_what_opens_first_and_asks_for_all_that_is_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hold()
    hold("ETHUSDT", decision_key="", status=PositionStatus.FOREIGN)
    rest("SOLUSDT")
    stopped_before = []
    real = orders.request_close_all

    def request_close_all(*args: Any, **how: Any) -> list[CloseRequest]:
        stopped_before.append(switches.off_switches())
        return real(*args, **how)

    monkeypatch.setattr(orders, "request_close_all", request_close_all)
    rows = flatten(ACCOUNT, **SIGNED)
    assert sides(rows) == [("BTCUSDT", "long"), ("SOLUSDT", "long")]
    assert stopped_before == [{"GLOBAL": "news"}]
    assert sides(flatten(ACCOUNT, foreign=True, **SIGNED)) == [("ETHUSDT", "long")]
    actors = set(OperatorAction.objects.exclude(actor="migration").values_list("actor", "action"))
    assert actors == {("ada", "switch_off"), ("ada", "close_position")}


def test_flatten_without_a_reason_stops_and_closes_nothing() -> None:
    hold()
    with pytest.raises(switches.ReasonMissing):
        flatten(ACCOUNT, **SIGNED | {"reason": "  "})
    assert (switches.off_switches(), CloseRequest.objects.count()) == ({}, 0)


def test_a_closed_position_says_who_closed_it() -> None:
    hold()
    held = position(plan())
    closing = events.RequestedClose(symbol="BTCUSDT", at=at(11), position=held, detail="ada: news")
    ledger().record([closing, events.PositionClosed(symbol="BTCUSDT", at=at(12), position=held)])
    assert Position.objects.get().close_reason == "ada: news"
