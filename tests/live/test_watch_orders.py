"""Entries followed to their end: resting, timed out, switched off, unknown, late, never arrived."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from apps.engine import events
from apps.engine.cycle import send
from apps.engine.values.order import OrderStatus
from apps.engine.values.position import Side
from apps.engine.values.reason import Reason, Refusal
from apps.exchange.transport import order_connection
from apps.orders import store as orders
from apps.orders.models import Fill, Position
from apps.switches import store as switches
from apps.switches.models import Cooldown
from tests.live.watching import ACCOUNT, GLANCED_S, SYMBOL, D, House, told

SUBMIT = "/contract/private/submit-order"
FAR = "1"


def test_an_unfilled_entry_is_taken_back_at_its_time_and_the_symbol_rests_a_quarter_of_an_hour(
    house: House,
) -> None:
    plan = house.enter(away_pct=FAR)
    house.until(lambda: len(house.broker.orders(SYMBOL)) == 1)
    house.clock.push(61)
    house.until(house.is_free)
    assert house.order_status(plan) == "EXPIRED"
    assert house.books()["orders"][0]["filled"] == 0
    assert house.broker.orders(SYMBOL) == []
    rest = Cooldown.objects.get()
    assert rest.ends_at - rest.starts_at == timedelta(minutes=15)


def test_what_was_filled_of_an_entry_stays_protected_when_its_time_is_over(house: House) -> None:
    house.exchange.switch(fill_at_most=1)
    plan = house.enter(notional=D(2000))  # a contract at each tick: too many for the time this takes
    house.until(house.is_protected)
    house.clock.push(61)
    house.until(lambda: house.order_status(plan) == "EXPIRED")
    house.until(house.is_protected)
    held = house.books()["positions"][0]["size"]
    assert held < plan.size
    assert Position.objects.get().size == held
    assert len(house.stops()) == 1


@pytest.mark.parametrize("key", ["GLOBAL", f"SYMBOL:{SYMBOL}", "PROFILE:regular", f"SYMBOL_TF:{SYMBOL}:1h"])
def test_a_switch_takes_resting_entries_back_at_the_next_glance(house: House, key: str) -> None:
    plan = house.enter(away_pct=FAR)
    house.until(lambda: len(house.broker.orders(SYMBOL)) == 1)
    house.work(0.3)
    switches.set_switch(key, is_on=False, reason="stop", actor="ada")
    assert house.until(lambda: not house.broker.orders(SYMBOL)) < GLANCED_S
    house.until(house.is_free)
    assert house.order_status(plan) == "CANCELLED"


def test_a_switch_leaves_positions_and_their_protection_alone(house: House) -> None:
    house.enter()
    house.until(house.is_protected)
    switches.set_switch("GLOBAL", is_on=False, reason="stop", actor="ada")
    house.work(2)
    assert house.position_status() == "PROTECTED"
    assert len(house.books()["protections"]) == 2


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_connection, "READ_S", 0.3)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("away_pct", ["-0.2", FAR])
def test_an_entry_whose_answer_is_held_is_found_and_followed(house: House, away_pct: str) -> None:
    house.exchange.switch(hold_answer_s={SUBMIT: 60})
    plan = house.claim(house.plan(away_pct=away_pct))
    assert house.send(plan).order.status is OrderStatus.UNKNOWN
    house.exchange.switch(hold_answer_s={})
    if away_pct == FAR:
        house.until(lambda: house.order_status(plan) == "SUBMITTED")
    else:
        house.until(house.is_protected)
    assert len(house.books()["orders"]) == 1


@pytest.mark.usefixtures("impatient")
def test_an_entry_that_arrives_after_its_sender_gave_up_is_followed(house: House) -> None:
    house.exchange.switch(route_latency_ms={SUBMIT: 2500})
    plan = house.claim(house.plan())
    assert house.send(plan).order.status is OrderStatus.UNKNOWN
    house.exchange.switch(route_latency_ms={})
    assert house.books()["orders"] == []
    house.until(house.is_protected)
    assert len(house.books()["fills"]) == 1


@pytest.mark.slow
def test_an_entry_that_never_left_is_given_up_only_when_it_can_no_longer_arrive(house: House) -> None:
    plan = house.claim(house.plan())
    house.clock.push(20)
    house.until(lambda: house.order_status(plan) == "UNKNOWN")
    for _ in range(4):
        house.clock.push(10)
        house.work(0.2)
    assert (house.order_status(plan), house.is_free()) == ("UNKNOWN", False)
    for _ in range(3):
        house.clock.push(10)
        house.work(0.2)
    house.until(house.is_free)
    assert house.order_status(plan) == "NEVER_ARRIVED"
    assert house.books()["orders"] == []
    again = house.ledger.claim(plan, house.clock())
    assert again == Refusal(Reason.DUPLICATE_DECISION, again.numbers)  # type: ignore[union-attr]


def test_a_sender_halted_after_its_last_look_sends_nothing_that_the_exchange_takes(house: House) -> None:
    plan = house.claim(house.plan())
    result = send(
        plan,
        broker=house.broker,
        ledger=house.ledger,
        last_check=lambda plan: house.exchange.clock.push(99),
        leverage_set=False,
        clock=house.clock,
    )
    assert result.order.status is OrderStatus.REJECTED
    assert house.books()["orders"] == []


def test_a_fill_of_an_entry_that_was_thought_cancelled_is_protected(house: House) -> None:
    plan = house.enter()
    order = orders.book(ACCOUNT, SYMBOL, house.clock()).orders[0]
    gone = replace(order, status=OrderStatus.CANCELLED)
    house.ledger.record([events.OrderCancelled(symbol=SYMBOL, at=house.clock(), order=gone)])
    house.until(house.is_protected)
    assert house.order_status(plan) == "FILLED"
    assert len(house.stops()) == 1


def test_a_target_left_behind_is_cancelled_before_the_symbol_is_free(house: House) -> None:
    house.enter(notional=D(100))
    house.until(house.is_protected)
    house.trade_by_hand(Side.LONG, opens=False)
    assert house.books()["positions"] == []
    assert [plan["kind"] for plan in house.books()["protections"]] == ["stop_loss", "take_profit"]
    house.until(house.is_free)
    assert house.books()["protections"] == []
    assert told()[-2:] == ["position_closed", "symbol_released"]
    assert Fill.objects.filter(opens=False).count() == 1
