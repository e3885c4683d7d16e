"""Several orders of one decision over the local exchange and the database, judged from its books."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.engine.cycle import SendResult
from apps.engine.values.plan import OrderPlan, Tranche
from apps.orders.models import ExchangeOrder, Position
from apps.orders.models import OrderPlan as PlanRow
from apps.switches import store as switches
from tests.live.watching import SYMBOL, House


def spread(house: House) -> OrderPlan:
    """The nearest crosses the book and fills; 0.6 and 0.9 % below it, above the stop, the others rest."""
    plan = house.plan()
    part = (plan.size * 3 // 10).quantize(Decimal(1))
    sizes = (plan.size - 2 * part, part, part)
    prices = [plan.entry, *((plan.entry * ratio // 1) for ratio in (Decimal("0.994"), Decimal("0.991")))]
    risk = plan.sizing.risk / 3
    return replace(plan, scaled=tuple(map(Tranche, prices, sizes, (risk,) * 3)))


def entered(house: House) -> tuple[OrderPlan, SendResult]:
    plan = house.claim(spread(house))
    return plan, house.send(plan)


def statuses() -> list[str]:
    return list(ExchangeOrder.objects.order_by("tranche").values_list("status", flat=True))


@pytest.mark.parametrize("preset", ["first_fill", "complete", "never"])
def test_a_position_that_ends_takes_the_tranches_that_rest_with_it_and_frees_its_symbol(
    house: House, preset: str
) -> None:
    house.exchange.switch(preset_on_partial=preset)
    plan, sent = entered(house)
    assert [each.order.part for each in (sent, *sent.further)] == ["1/3", "2/3", "3/3"]
    house.until(house.is_protected)
    house.until(lambda: statuses() == ["FILLED", "SUBMITTED", "SUBMITTED"])
    assert PlanRow.objects.get().status == "PARTIALLY_FILLED"
    assert Position.objects.get().size == plan.tranches[0].size
    house.trade_by_hand(plan.side, opens=False, size=plan.tranches[0].size)
    house.until(house.is_free)
    assert statuses() == ["FILLED", "CANCELLED", "CANCELLED"]
    broker = house.broker
    assert (broker.orders(SYMBOL), broker.positions(SYMBOL), broker.protections(SYMBOL)) == ([], [], [])
    position = Position.objects.get()
    assert position.risk_usdt == plan.tranches[0].risk.quantize(Decimal("1e-12"))


def test_a_switch_takes_back_every_tranche_that_rests_and_leaves_the_position_protected(house: House) -> None:
    entered(house)
    house.until(house.is_protected)
    switches.set_switch(switches.GLOBAL, is_on=False, reason="test", actor="ada")
    house.until(lambda: statuses() == ["FILLED", "CANCELLED", "CANCELLED"])
    assert house.is_protected()
    assert not house.is_free()


def test_a_watch_that_begins_anew_goes_on_with_the_tranches_that_a_sender_left_behind(house: House) -> None:
    plan = house.claim(spread(house))
    first = ExchangeOrder.objects.get(tranche=0)
    house.broker.set_leverage(SYMBOL, plan.leverage)
    house.broker.submit(plan.request(first.client_order_id))  # and the machine is gone: nobody heard
    house.restart()
    house.until(house.is_protected)
    house.clock.push(85)  # none of them can arrive any more; a signature bears 60 s
    house.until(lambda: statuses()[1:] == ["NEVER_ARRIVED", "NEVER_ARRIVED"])
    assert statuses()[0] == "FILLED"
    assert not house.is_free()
    house.trade_by_hand(plan.side, opens=False, size=plan.tranches[0].size)
    house.until(house.is_free)
