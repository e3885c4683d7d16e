"""What a person wants closed is closed by the watch, within a second or two, and judged from the exchange."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.engine.ports.account import Listing
from apps.engine.values.position import PositionReport, Side
from apps.engine.values.reason import Reason, Refusal
from apps.live.flatten import flatten
from apps.orders import store as orders
from apps.orders.models import CloseRequest, Position
from apps.switches import store as switches
from tests.live.watching import GLANCED_S, OTHER, SYMBOL, House, told
from tests.rooms.trades import ACCOUNT

REFUSED = 40011
SUBMIT = "/contract/private/submit-order"


def ask(house: House, symbol: str = SYMBOL, **how: Any) -> list[CloseRequest]:
    signed: dict[str, Any] = {"reason": "news at noon", "actor": "ada", "now": house.clock()} | how
    return orders.request_close(ACCOUNT, symbol, **signed)


def is_flat(house: House) -> bool:
    return house.books()["positions"] == []


def is_done() -> bool:
    return not CloseRequest.objects.filter(done_at=None).exists()


@pytest.mark.parametrize("side", list(Side))
def test_what_is_asked_for_is_flat_within_two_seconds_and_leaves_nothing_behind(
    house: House, side: Side
) -> None:
    house.enter(side=side)
    house.until(house.is_protected)
    house.work(1.5)  # into the quiet between two sweeps: only the glance can see it
    ask(house)
    assert house.until(lambda: is_flat(house)) < GLANCED_S
    house.until(is_done)
    house.until(house.is_free)
    assert house.books()["protections"] == []
    position = Position.objects.get()
    assert (position.status, position.close_reason) == ("CLOSED", "ada: news at noon")
    assert CloseRequest.objects.get().outcome == "flat"
    assert told().count("requested_close") == 1
    assert not {"emergency_close", "close_failing", "naked"} & set(told())
    assert switches.off_switches() == {}


def test_the_rest_of_an_entry_that_fills_in_parts_is_taken_back_with_its_position(house: House) -> None:
    house.exchange.switch(fill_at_most=1)
    plan = house.enter(notional=Decimal(800))
    house.until(house.is_protected)
    ask(house)
    house.until(is_done)
    house.until(house.is_free)
    assert is_flat(house)
    assert house.broker.orders(SYMBOL) == []
    assert house.order_status(plan) in ("CANCELLED", "FILLED")


def test_an_entry_that_only_rests_is_taken_back(house: House) -> None:
    plan = house.enter(away_pct="3")
    house.until(lambda: house.order_status(plan) == "SUBMITTED")
    ask(house)
    assert house.until(lambda: house.order_status(plan) == "CANCELLED") < GLANCED_S
    house.until(is_done)
    house.until(house.is_free)
    assert "requested_close" not in told()


def test_a_switch_that_is_off_holds_up_no_close(house: House) -> None:
    house.enter()
    house.until(house.is_protected)
    switches.set_switch("GLOBAL", is_on=False, reason="stop", actor="ada")
    ask(house)
    assert house.until(lambda: is_flat(house)) < GLANCED_S
    assert switches.off_switches() == {"GLOBAL": "stop"}


def test_a_request_made_while_nobody_watched_is_obeyed_by_the_next_process(house: House) -> None:
    house.enter()
    house.until(house.is_protected)
    ask(house)
    house.restart()
    assert house.until(lambda: is_flat(house)) < GLANCED_S
    house.until(is_done)


def test_a_position_opened_by_hand_is_closed_only_when_that_is_asked_for(house: House) -> None:
    house.trade_by_hand(Side.SHORT, opens=True)
    house.until(lambda: house.position_status() == "FOREIGN")
    with pytest.raises(orders.NotOurs, match="not opened by us"):
        ask(house)
    house.work(1)
    assert not is_flat(house)
    ask(house, foreign=True)
    assert house.until(lambda: is_flat(house)) < GLANCED_S
    house.until(is_done)
    assert house.position_status() == "CLOSED"
    assert "requested_close" in told()


@pytest.mark.slow
def test_a_close_that_keeps_failing_alarms_keeps_its_stop_and_goes_on_until_it_succeeds(house: House) -> None:
    plan = house.enter()
    house.until(house.is_protected)
    house.exchange.switch(reject={SUBMIT: REFUSED})
    ask(house)
    house.until(lambda: "close_failing" in told())
    assert "did not make it flat" in switches.off_switches()["GLOBAL"]
    assert [Decimal(stop["trigger_price"]) for stop in house.stops()] == [plan.stop]
    assert not is_done()
    house.exchange.switch(reject={})
    house.until(is_done)
    assert is_flat(house)
    assert "emergency_close" not in told()


def test_a_request_whose_position_ended_by_itself_is_done(house: House) -> None:
    house.enter()
    house.until(house.is_protected)
    house.trade_by_hand(Side.LONG, opens=False, size=Position.objects.get().size)
    ask(house)
    house.until(is_done)
    assert CloseRequest.objects.get().outcome == "flat"


def test_the_unrealised_result_is_told_beside_the_position_and_changes_nothing_of_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, read = house.broker.all_positions, set[tuple[Decimal | None, Decimal | None]]()

    def all_positions() -> Listing[PositionReport]:
        listing = real()
        read.update((report.mark_price, report.unrealised) for report in listing.rows)
        return listing

    monkeypatch.setattr(house.broker, "all_positions", all_positions)
    house.enter()
    house.until(house.is_protected)
    house.until(lambda: Position.objects.get().marked_at is not None)
    house.work(1)  # what follows a fill is over, and the position changes no more
    before = Position.objects.get()
    house.clock.push(6)
    house.until(lambda: Position.objects.get().marked_at != before.marked_at)
    position = Position.objects.get()
    assert position.updated_at == before.updated_at
    assert position.unrealised_usdt is not None
    assert (position.mark_price, position.unrealised_usdt) in read
    assert position.marked_at is not None
    assert house.clock() - position.marked_at < timedelta(seconds=6)
    ask(house)
    house.until(lambda: house.position_status() == "CLOSED")
    closed = Position.objects.get()
    assert (closed.mark_price, closed.unrealised_usdt, closed.marked_at) == (None, None, None)


def test_flatten_leaves_nothing_of_ours_and_nothing_opens_behind_it(house: House) -> None:
    house.enter()
    resting = house.enter(OTHER, away_pct="3")
    house.until(house.is_protected)
    house.until(lambda: house.order_status(resting) == "SUBMITTED")
    house.trade_by_hand(Side.SHORT, opens=True, symbol=OTHER)
    house.until(lambda: house.position_status(OTHER) == "FOREIGN")
    flatten(ACCOUNT, reason="trouble", actor="ada", now=house.clock())
    house.until(is_done)
    house.until(house.is_free)
    assert [row["symbol"] for row in house.books()["positions"]] == [OTHER]
    assert house.broker.orders(OTHER) == []
    refused = house.ledger.claim(house.plan(), house.clock())
    assert isinstance(refused, Refusal)
    assert refused.reason == Reason.KILL_SWITCH_GLOBAL
