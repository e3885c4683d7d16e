"""Positions opened by hand, adopted: a stop for what has none, and nothing else; judged from the exchange."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import pytest

from apps.engine.values.order import ProtectionKind
from apps.engine.values.position import Side
from apps.orders.models import Position, Protection
from apps.switches import store as switches
from tests.live.watching import SYMBOL, House, told

STOPS = {Side.LONG: (Decimal("0.95"), ROUND_FLOOR), Side.SHORT: (Decimal("1.05"), ROUND_CEILING)}


@pytest.fixture
def adopting(house: House) -> Iterator[House]:
    house.adopt_foreign = True
    house.restart()
    house.until(lambda: house.health().reconciled)
    return house


def expected_stop(house: House, side: Side) -> Decimal:
    [contract] = [each for each in house.broker.contracts() if each.symbol == SYMBOL]
    ratio, rounding = STOPS[side]
    ticks = Position.objects.get().entry_price * ratio / contract.tick_size
    return ticks.to_integral_value(rounding) * contract.tick_size


@pytest.mark.parametrize("side", list(Side))
def test_it_gets_a_stop_five_percent_from_its_entry_and_stays_what_it_is(adopting: House, side: Side) -> None:
    adopting.trade_by_hand(side, opens=True)
    adopting.until(lambda: Protection.objects.filter(status="ACTIVE").exists())
    adopting.until(lambda: "protected" in told())
    [stop] = adopting.stops()
    assert Decimal(stop["trigger_price"]) == expected_stop(adopting, side)
    position = Position.objects.get()
    assert (position.status, position.stop_price) == ("FOREIGN", expected_stop(adopting, side))
    assert (position.naked_since, position.target_price) == (None, None)
    assert adopting.books()["positions"] != []


def test_its_stop_goes_when_it_is_closed_by_hand(adopting: House) -> None:
    adopting.trade_by_hand(Side.LONG, opens=True)
    adopting.until(lambda: "protected" in told())
    adopting.trade_by_hand(Side.LONG, opens=False)
    adopting.until(lambda: adopting.position_status() == "CLOSED")
    adopting.until(lambda: adopting.stops() == [])


def test_a_stop_of_its_owner_stands_however_far_it_lies(adopting: House) -> None:
    adopting._close()  # nobody watches while it is opened and given its stop
    adopting.trade_by_hand(Side.LONG, opens=True)
    far = adopting.broker.quote(SYMBOL).mark * Decimal("0.9")
    [contract] = [each for each in adopting.broker.contracts() if each.symbol == SYMBOL]
    price = (far / contract.tick_size).quantize(Decimal(1)) * contract.tick_size
    adopting.broker.protect(SYMBOL, Side.LONG, ProtectionKind.STOP, price, "hand1")
    adopting.begin()
    adopting.until(lambda: adopting.position_status() == "FOREIGN")
    adopting.work(3)
    assert [Decimal(stop["trigger_price"]) for stop in adopting.stops()] == [price]
    assert not {"protection_asked", "naked"} & set(told())


def test_a_stop_that_vanishes_comes_back_at_its_price(adopting: House) -> None:
    adopting.trade_by_hand(Side.LONG, opens=True)
    adopting.until(lambda: "protected" in told())
    [first] = adopting.stops()
    adopting.broker.unprotect(SYMBOL, first["order_id"])
    adopting.until(lambda: told().count("protected") == 2)
    [again] = adopting.stops()
    assert again["trigger_price"] == first["trigger_price"]


@pytest.mark.slow
def test_one_whose_stop_is_refused_is_reported_once_and_never_closed(adopting: House) -> None:
    adopting.exchange.switch(refuse_stops=True)
    adopting.trade_by_hand(Side.LONG, opens=True)
    adopting.until(lambda: "call_failed" in told())
    adopting.work(12)
    assert adopting.books()["positions"] != []
    assert told().count("naked") == 1
    assert told().count("protection_asked") == 3
    assert not {"emergency_close", "requested_close"} & set(told())
    assert switches.off_switches() == {}


def test_without_the_setting_it_is_reported_and_left_alone(house: House) -> None:
    house.trade_by_hand(Side.LONG, opens=True)
    house.until(lambda: house.position_status() == "FOREIGN")
    house.work(3)
    assert house.stops() == []
    assert not {"protection_asked", "naked"} & set(told())
