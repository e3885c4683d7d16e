"""Rolling up: complete candles only, exact, and equal to the exchange's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.rollup import roll_up, roll_up_columns
from apps.engine.values.candle import Candle, Source
from apps.engine.values.timeframe import ROLLED_UP, Timeframe
from tests.engine import real_candles

MIDNIGHT = datetime(2025, 6, 3, tzinfo=UTC)
NATIVE = ["ADAUSDT", "BNBUSDT", "BTCUSDT", "DOGEUSDT", "DOTUSDT", "ETHUSDT", "LTCUSDT", "SOLUSDT", "XRPUSDT"]


def minute(number: int, *, symbol: str = "BTCUSDT", price: str = "100", volume: str = "1") -> Candle:
    """The 1m candle that opens `number` minutes after midnight, flat at `price`."""
    flat = Decimal(price)
    at = MIDNIGHT + timedelta(minutes=number)
    return Candle(symbol, Timeframe.M1, at, flat, flat, flat, flat, Decimal(volume))


def test_a_bucket_takes_first_open_highest_lowest_last_close_and_all_volume() -> None:
    prices = ["101.5", "103.2", "99.7", "100.1", "100.6"]
    [rolled] = roll_up([minute(i, price=price, volume="0.1") for i, price in enumerate(prices)], Timeframe.M5)
    assert (rolled.symbol, rolled.timeframe, rolled.open_time) == ("BTCUSDT", Timeframe.M5, MIDNIGHT)
    assert [rolled.open, rolled.high, rolled.low, rolled.close] == [
        Decimal(price) for price in ("101.5", "103.2", "99.7", "100.6")
    ]
    assert (rolled.volume, rolled.source) == (Decimal("0.5"), Source.ROLLUP)


@pytest.mark.parametrize("absent", range(5))
def test_a_bucket_that_misses_any_one_candle_is_left_out(absent: int) -> None:
    candles = [minute(i) for i in range(15) if i != 5 + absent]
    opens = [rolled.open_time.minute for rolled in roll_up(candles, Timeframe.M5)]
    assert opens == [0, 10]


def test_half_buckets_at_both_edges_are_left_out() -> None:
    assert [c.open_time.minute for c in roll_up([minute(i) for i in range(3, 19)], Timeframe.M5)] == [5, 10]
    assert roll_up([], Timeframe.M5) == []


def test_a_volume_sum_is_never_rounded() -> None:
    volumes = ["9999999999999999.000000000001", "0.000000000001", "9999999999999999", "0", "3"]
    [rolled] = roll_up([minute(i, volume=volume) for i, volume in enumerate(volumes)], Timeframe.M5)
    assert rolled.volume == Decimal("20000000000000001.000000000002")


@pytest.mark.parametrize(
    ("candles", "timeframe", "message"),
    [
        ([minute(1), minute(0)], Timeframe.M5, "do not rise"),
        ([minute(0), minute(0)], Timeframe.M5, "do not rise"),
        ([minute(0), minute(1, symbol="ETHUSDT")], Timeframe.M5, "BTCUSDT 1m and ETHUSDT 1m are mixed"),
        ([minute(0)], Timeframe.M1, "1m candles cannot be rolled up from 1m candles"),
    ],
)
def test_candles_that_cannot_be_rolled_up_are_refused(
    candles: list[Candle], timeframe: Timeframe, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        roll_up(candles, timeframe)


@pytest.mark.parametrize(
    ("first_open_ms", "finer", "coarser", "message"),
    [
        (1, Timeframe.M1, Timeframe.M5, "first open 1 ms is not a multiple of 1m"),
        (0, Timeframe.H1, Timeframe.M5, "5m candles cannot be rolled up from 1h candles"),
    ],
)
def test_columns_that_cannot_be_rolled_up_are_refused(
    first_open_ms: int, finer: Timeframe, coarser: Timeframe, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        roll_up_columns(np.ones((5, 1, 10)), first_open_ms, finer, coarser)


@pytest.mark.parametrize("symbol", NATIVE)
def test_rolled_up_1m_candles_are_the_exchanges_own_5m_candles(symbol: str) -> None:
    """Every bar, prices to the last digit and volume too, wide; the newest days exactly, by Decimal."""
    native, native_first = real_candles.columns(f"native_5m/{symbol}.csv.gz", Timeframe.M5)
    fine, fine_first = real_candles.columns(f"1m/{symbol}.csv.gz", Timeframe.M1)
    rolled, first = roll_up_columns(fine, fine_first, Timeframe.M1, Timeframe.M5)
    offset = (native_first - first) // Timeframe.M5.ms
    width = min(rolled.shape[2] - offset, native.shape[2])
    assert width >= 8600
    ours, theirs = rolled[:, :, offset : offset + width], native[:, :, :width]
    np.testing.assert_array_equal(ours[:4], theirs[:4])
    np.testing.assert_allclose(ours[4], theirs[4], rtol=1e-12)  # the rounding of adding five floats


def test_decimal_rolled_up_candles_are_the_exchanges_own_to_the_last_digit() -> None:
    minutes = real_candles.candles("1m/BTCUSDT.csv.gz", "BTCUSDT", Timeframe.M1, 3000)
    native = real_candles.candles("native_5m/BTCUSDT.csv.gz", "BTCUSDT", Timeframe.M5, 1000)
    theirs = {candle.open_time: candle for candle in native}
    rolled = [candle for candle in roll_up(minutes, Timeframe.M5) if candle.open_time in theirs]
    assert len(rolled) >= 590
    for ours in rolled:
        assert _numbers(ours) == _numbers(theirs[ours.open_time])


def test_step_by_step_equals_at_once_on_real_candles() -> None:
    """1m to 5m to 15m to 1h to 4h to 1d gives the candles of 1m straight to each."""
    minutes = real_candles.candles("1m/LAYERUSDT.csv.gz", "LAYERUSDT", Timeframe.M1, 4 * 1440)
    step = minutes
    for timeframe in ROLLED_UP:
        step = roll_up(step, timeframe)
        assert step
        assert step == roll_up(minutes, timeframe)


@given(st.integers(0, 59), st.lists(st.booleans(), min_size=1, max_size=70))
def test_both_forms_agree_whatever_is_missing(start: int, present: list[bool]) -> None:
    """Prices and volumes here are small whole numbers, which floats hold exactly."""
    numbers = [start + i for i, there in enumerate(present) if there]
    candles = [minute(n, price=str(100 + n * 7 % 13), volume=str(n)) for n in numbers]
    wide = np.full((5, 1, len(present)), np.nan)
    for candle, number in zip(candles, numbers, strict=True):
        wide[:, 0, number - start] = [float(value) for value in _numbers(candle)]
    first_ms = int((MIDNIGHT + timedelta(minutes=start)).timestamp() * 1000)
    for timeframe in (Timeframe.M5, Timeframe.M15, Timeframe.H1):
        out, out_first_ms = roll_up_columns(wide, first_ms, Timeframe.M1, timeframe)
        opens = [out_first_ms + i * timeframe.ms for i in range(out.shape[2])]
        rows = dict(zip(opens, out[:, 0].T.tolist(), strict=True))
        known = {at: row for at, row in rows.items() if not np.isnan(row).any()}
        exact = {
            int(candle.open_time.timestamp() * 1000): [float(value) for value in _numbers(candle)]
            for candle in roll_up(candles, timeframe)
        }
        assert known == exact
        assert all(np.isnan(row).all() for at, row in rows.items() if at not in known)


@given(st.lists(st.integers(1, 10**9), min_size=15, max_size=15))
def test_no_volume_and_no_extreme_is_lost_on_the_way(prices: list[int]) -> None:
    candles = [minute(i, price=str(price), volume=str(price)) for i, price in enumerate(prices)]
    [rolled] = roll_up(roll_up(candles, Timeframe.M5), Timeframe.M15)
    expected = [prices[0], max(prices), min(prices), prices[-1], sum(prices)]
    assert _numbers(rolled) == [Decimal(number) for number in expected]


def test_real_holes_leave_exactly_their_buckets_unknown() -> None:
    """XRPETH has 676 holes: a 5m bucket is known when its five minutes are in the file, and only then."""
    fine, first = real_candles.columns("gappy/XRPETH-1m.csv.gz", Timeframe.M1)
    rolled, rolled_first = roll_up_columns(fine, first, Timeframe.M1, Timeframe.M5)
    lead = (rolled_first - first) // Timeframe.M1.ms
    members = fine[3, 0, lead : lead + 5 * rolled.shape[2]].reshape(-1, 5)
    absent = np.isnan(members).any(axis=1)
    assert 0 < np.count_nonzero(absent) < len(members)
    for column in rolled[:, 0]:
        np.testing.assert_array_equal(np.isnan(column), absent)


def _numbers(candle: Candle) -> list[Decimal]:
    return [candle.open, candle.high, candle.low, candle.close, candle.volume]
