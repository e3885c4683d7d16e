"""From a sent order to a free symbol, watched over the local exchange and judged from its books."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.engine.values.contract import Contract
from apps.engine.values.exit import ExitRules
from apps.engine.values.order import ProtectionKind
from apps.engine.values.position import Side
from apps.live.watch.books import ContractCache
from apps.orders.models import ExchangeOrder, Fill, Position, Protection
from apps.switches import store as switches
from tests.live.watching import OTHER, SYMBOL, House, told

REFUSED = 40011
SUBMIT = "/contract/private/submit-order"


def test_a_fill_is_seen_and_its_attached_stop_and_target_are_read_back(house: House) -> None:
    plan = house.enter()
    house.until(house.is_protected)
    kinds = {
        ProtectionKind(row.kind): row.trigger_price for row in Protection.objects.filter(status="ACTIVE")
    }
    assert kinds == {ProtectionKind.STOP: plan.stop, ProtectionKind.TARGET: plan.target}
    house.until(Fill.objects.exists)  # what protects is read first
    assert Fill.objects.get().order == ExchangeOrder.objects.get()
    assert house.order_status(plan) == "FILLED"


@pytest.mark.parametrize("side", list(Side))
def test_a_position_without_a_stop_gets_one_at_once(house: House, side: Side) -> None:
    house.exchange.switch(preset_on_partial="never")
    plan = house.enter(side=side)
    took_s = house.until(house.is_protected)
    assert [Decimal(stop["trigger_price"]) for stop in house.stops()] == [plan.stop]
    assert took_s < 5
    house.until(lambda: len(house.books()["protections"]) == 2)


def test_half_goes_at_the_first_target_and_the_stop_is_moved_and_read_back_before_the_old_one_goes(
    house: House,
) -> None:
    plan = house.plan(notional=Decimal(300))
    behind_the_mark = (abs(plan.entry - plan.stop) / 4).quantize(Decimal(1))
    exits = ExitRules(plan.stop + behind_the_mark, Decimal("0.0006"), True, behind_the_mark)
    plan = house.claim(replace(plan, exits=exits))  # its first target is reached at once
    house.send(plan)
    house.until(lambda: Position.objects.filter(size=plan.size - plan.size // 2).exists())
    house.until(house.is_protected)
    assert [Decimal(stop["trigger_price"]) for stop in house.stops()] == [plan.stop]
    assert Protection.objects.get(size=plan.size // 2).kind == ProtectionKind.TARGET
    house.clock.push(180)
    house.until(lambda: "stop_moved" in told())
    house.until(lambda: len(house.stops()) == 1)
    [moved] = house.stops()
    position = Position.objects.get()
    assert Decimal(moved["trigger_price"]) == position.stop_price
    assert position.stop_price > plan.stop
    assert (position.status, position.next_stop_price) == ("PROTECTED", None)
    assert "naked" not in told()


def test_what_is_held_for_too_long_is_closed_without_an_alarm(house: House) -> None:
    plan = house.plan()
    house.claim(replace(plan, exits=ExitRules(max_holding_s=600)))
    house.send(plan)
    house.until(house.is_protected)
    house.clock.push(601)
    house.until(lambda: house.position_status() == "CLOSED")
    house.until(house.is_free)
    assert Position.objects.get().close_reason == "time stop"
    assert {"time_stop", "close_asked"} <= set(told())
    assert "emergency_close" not in told()
    assert house.books()["protections"] == []
    assert switches.off_switches() == {}


@pytest.mark.slow
def test_a_position_whose_stop_is_refused_is_closed_within_ten_seconds(house: House) -> None:
    house.exchange.switch(preset_on_partial="never", refuse_stops=True)
    house.enter()
    house.until(lambda: house.position_status() == "CLOSED")
    opening, closing = house.books()["fills"]
    assert closing["at_ms"] - opening["at_ms"] < 10_000
    assert house.books()["positions"] == []
    house.until(house.is_free)
    assert house.books()["protections"] == []
    assert switches.off_switches() == {}


@pytest.mark.parametrize("armed", ["first_fill", "complete", "never"])
def test_a_partial_fill_is_protected_whole_whenever_the_attached_stop_is_armed(
    house: House, armed: str
) -> None:
    house.exchange.switch(preset_on_partial=armed, fill_at_most=1)
    plan = house.enter(notional=Decimal(300))
    assert plan.size == 3
    house.until(house.is_protected)
    house.until(lambda: house.order_status(plan) == "FILLED")
    house.until(house.is_protected)
    house.work(1.2)
    assert house.position_status() == "PROTECTED"
    assert Position.objects.get().size == plan.size
    assert sum(fill.size for fill in Fill.objects.all()) == plan.size


def test_a_stop_that_vanishes_is_placed_again(house: House) -> None:
    plan = house.enter()
    house.until(house.is_protected)
    for protection in house.broker.protections(SYMBOL):
        house.broker.unprotect(SYMBOL, protection.exchange_order_id)
    house.until(lambda: "naked" in told())
    house.until(house.is_protected)
    assert [Decimal(stop["trigger_price"]) for stop in house.stops()] == [plan.stop]
    assert Protection.objects.filter(status="LOST").exists()


@pytest.mark.slow
def test_a_position_that_cannot_be_closed_stops_everything_and_is_closed_when_it_can_be(house: House) -> None:
    house.exchange.switch(preset_on_partial="never", refuse_stops=True)
    house.enter()
    house.until(lambda: house.position_status() == "NAKED")
    house.exchange.switch(reject={SUBMIT: REFUSED})
    house.clock.push(6)
    house.until(lambda: "close_failing" in told())
    assert "did not make it flat" in switches.off_switches()["GLOBAL"]
    assert house.position_status() == "CLOSING"
    house.exchange.switch(reject={})
    house.until(lambda: house.position_status() == "CLOSED")
    assert house.books()["positions"] == []
    house.until(house.is_free)


def test_a_symbol_that_cannot_be_handled_does_not_leave_the_others_unprotected(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ContractCache.get

    def poisoned(self: ContractCache, symbol: str) -> Contract:
        if symbol == SYMBOL:
            raise ZeroDivisionError(symbol)
        return real(self, symbol)

    monkeypatch.setattr(ContractCache, "get", poisoned)
    house.exchange.switch(preset_on_partial="never")
    house.enter(SYMBOL)
    house.enter(OTHER)
    house.until(lambda: house.position_status(OTHER) == "PROTECTED")
    assert house.position_status(SYMBOL) == ""


def test_a_clock_that_is_set_back_leaves_no_position_unprotected(house: House) -> None:
    plan = house.enter()
    house.until(house.is_protected)
    house.clock.push(-3600)
    house.deafen()
    for protection in house.broker.protections(SYMBOL):
        house.broker.unprotect(SYMBOL, protection.exchange_order_id)
    house.until(lambda: "naked" in told())
    house.until(house.is_protected)
    assert [Decimal(stop["trigger_price"]) for stop in house.stops()] == [plan.stop]
