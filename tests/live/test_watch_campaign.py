"""What the chaos campaign brought to light, each as a sentence of its own."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.engine.values.position import Side
from apps.orders.models import Fill, Position
from apps.switches.models import Cooldown
from tests.live.watching import ACCOUNT, House

POSITIONS = "/contract/private/position-v2"


@pytest.mark.slow
def test_a_position_that_came_and_went_while_nobody_looked_is_closed_and_its_stop_taken_away(
    house: House,
) -> None:
    house.deafen()
    plan = house.enter()
    house.trade_by_hand(Side.LONG, opens=False, size=plan.size)
    assert len(house.stops()) == 1, "armed with the fill, for what was filled"
    time.sleep(8)  # the watch is away for longer than clocks may differ
    house.until(house.is_free, patience_s=25)
    assert house.position_status() == "CLOSED"
    assert house.stops() == []


def test_a_fill_that_closed_the_second_position_is_not_booked_to_the_first(house: House) -> None:
    for _ in range(2):
        Cooldown.objects.all().delete()
        plan = house.enter()
        house.deafen()
        house.trade_by_hand(Side.LONG, opens=False, size=plan.size)
        house.until(house.is_free, patience_s=25)
    for position in Position.objects.all():
        sizes = [fill.size if fill.opens else -fill.size for fill in position.fills.all()]
        assert sum(sizes) == 0
    assert Fill.objects.filter(position=None).count() == 0


@pytest.mark.slow
def test_an_entry_that_ended_is_looked_up_although_a_look_takes_longer_than_its_cancel_is_repeated(
    house: House,
) -> None:
    plan = house.enter(away_pct="1")
    house.until(lambda: house.order_status(plan) == "SUBMITTED")
    house.exchange.switch(route_latency_ms={POSITIONS: 2200})
    house.clock.push(58)
    house.until(lambda: house.order_status(plan) == "EXPIRED", patience_s=40)


def test_positions_whose_trades_are_missing_keep_no_watch_from_comparing_its_books(house: House) -> None:
    ended = house.clock() - timedelta(minutes=20)
    for n in range(12):
        Position.objects.create(
            account=ACCOUNT,
            symbol=f"GONE{n}USDT",
            side="long",
            status="CLOSED",
            size=Decimal(0),
            max_size=Decimal(1),
            entry_price=Decimal(1),
            opened_at=ended - timedelta(minutes=1),
            closed_at=ended,
            realised_usdt=Decimal(0),
            updated_at=ended,
        )
    house.restart()
    house.until(lambda: house.health().reconciled)
