"""Coarser candles follow the 1m candles they are made of."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.engine.values.candle import Candle, Source
from apps.engine.values.timeframe import ROLLED_UP, Timeframe
from apps.feed.rollup import roll_up_changed
from apps.market import store
from apps.market.models import Kline
from tests.feed.venue import MINUTE, NOON, candle

LATER = NOON + timedelta(days=2)
M5 = Timeframe.M5

pytestmark = pytest.mark.django_db


def save(*candles: Candle) -> int:
    """Store 1m candles and roll up around them, long after."""
    store.save_candles(candles)
    return roll_up_changed(candles, now=LATER)


def rolled(timeframe: Timeframe = M5) -> list[tuple[int, Decimal, Decimal]]:
    """(minute of its open, close, volume) of the coarser candles."""
    rows = Kline.objects.filter(timeframe=timeframe).order_by("open_time")
    return [(row.open_time.minute, row.close_price, row.volume) for row in rows]


def test_a_coarser_candle_is_made_when_its_last_missing_minute_comes_whichever_that_is() -> None:
    for n in (0, 4, 1, 3):
        assert save(candle(NOON + n * MINUTE, close=str(100 + n))) == 0
    assert save(candle(NOON + 2 * MINUTE, close="90")) == 1
    assert rolled() == [(0, Decimal(104), Decimal(25))]


def test_a_corrected_minute_remakes_what_was_made_of_it_and_nothing_else() -> None:
    save(*(candle(NOON + n * MINUTE, source=Source.WS) for n in range(10)))
    assert save(candle(NOON + 9 * MINUTE, close="107")) == 1
    assert [close for _, close, _ in rolled()] == [100, 107]


def test_rolling_up_the_same_minutes_again_changes_nothing() -> None:
    minutes = [candle(NOON + n * MINUTE) for n in range(15)]
    assert save(*minutes) == 3 + 1
    assert roll_up_changed(minutes, now=LATER) == 0


def test_a_whole_day_of_minutes_makes_every_timeframe_up_to_the_day() -> None:
    midnight = NOON.replace(hour=0)
    save(*(candle(midnight + n * MINUTE) for n in range(24 * 60)))
    stored = {tf: Kline.objects.filter(timeframe=tf).count() for tf in ROLLED_UP}
    assert stored == {"5m": 288, "15m": 96, "1h": 24, "4h": 6, "1d": 1}


def test_symbols_are_rolled_up_each_by_itself() -> None:
    save(*(candle(NOON + n * MINUTE, symbol) for n in range(5) for symbol in ("AUSDT", "BUSDT")))
    save(*(candle(NOON + n * MINUTE, "CUSDT") for n in range(4)))
    assert {row.symbol for row in Kline.objects.filter(timeframe=M5)} == {"AUSDT", "BUSDT"}


def test_a_candle_of_the_exchange_itself_is_not_replaced_by_a_rolled_up_one() -> None:
    store.save_candles([candle(NOON, close="103", timeframe=M5, source=Source.REST)])
    assert save(*(candle(NOON + n * MINUTE) for n in range(5))) == 0
    assert [close for _, close, _ in rolled()] == [103]


def test_nothing_changed_rolls_up_nothing() -> None:
    assert roll_up_changed([], now=LATER) == 0
