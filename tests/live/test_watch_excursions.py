"""MFE and MAE of what closed: written when the minutes it was held are stored, and not before."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.engine.follow.excursion import holding_span
from apps.engine.values.candle import Candle
from apps.engine.values.position import Side
from apps.engine.values.timeframe import Timeframe
from apps.live.watch.reconciliation import CANDLES_WAITED_FOR, save_excursions
from apps.market import store as market
from apps.orders.models import Fill, Position
from tests.live.watching import ACCOUNT, SYMBOL, House


@pytest.fixture
def closed(house: House) -> Position:
    plan = house.enter()
    house.until(house.is_protected)
    house.trade_by_hand(Side.LONG, opens=False, size=plan.size)
    house.until(house.is_free)
    return Position.objects.get()


def minutes(closed: Position) -> list[Candle]:
    """Its minutes as they may have been: 2 % above its entry, 1 % below."""
    times = Fill.objects.filter(position=closed).order_by("at").values_list("at", flat=True)
    start, end = holding_span(times[0], times[len(times) - 1])
    entry, opens = closed.entry_price, []
    while start < end:
        opens.append(start)
        start += Timeframe.M1.duration
    high, low = (round(entry * Decimal(share), 4) for share in ("1.02", "0.99"))
    return [Candle(SYMBOL, Timeframe.M1, open_time, low, high, low, low, Decimal(1)) for open_time in opens]


def test_the_minutely_comparison_writes_it_when_the_last_minute_is_stored(
    house: House, closed: Position
) -> None:
    house.clock.push(61)
    assert closed.best_price is None
    market.save_candles(minutes(closed))
    house.until(lambda: Position.objects.get().best_price is not None)
    row = Position.objects.get()
    assert (float(row.mfe_pct or 0), float(row.mae_pct or 0)) == pytest.approx((2, 1), abs=0.01)
    # the plan's stop lies 2 % away, and the fill near the plan's price
    assert (float(row.mfe_r or 0), float(row.mae_r or 0)) == pytest.approx((1, 0.5), rel=0.2)


def test_one_that_cannot_be_written_keeps_the_watch_from_nothing(house: House, closed: Position) -> None:
    market.save_candles(minutes(closed))
    Position.objects.update(entry_price=Decimal("1e-12"))  # the percentage is too large for its column
    assert save_excursions(ACCOUNT, house.clock()) == 0
    Position.objects.update(entry_price=closed.entry_price)
    assert save_excursions(ACCOUNT, house.clock()) == 1


def test_it_stays_unknown_while_a_minute_is_missing(house: House, closed: Position) -> None:
    market.save_candles(minutes(closed)[:-1])
    assert save_excursions(ACCOUNT, house.clock()) == 0
    market.save_candles(minutes(closed))
    assert save_excursions(ACCOUNT, house.clock() + CANDLES_WAITED_FOR) == 0
    assert Position.objects.get().best_price is None
    assert save_excursions(ACCOUNT, house.clock()) == 1
