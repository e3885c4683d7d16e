"""Candles: what cannot have happened is refused at the door, by the name of the law it breaks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.values.candle import Candle, ImpossibleCandle, Source, aligned_open_time, flat_candle
from apps.engine.values.timeframe import Timeframe

NOON = datetime(2025, 6, 3, 12, tzinfo=UTC)


def candle(**changes: Any) -> Candle:
    fields: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "timeframe": Timeframe.M5,
        "open_time": NOON,
        "open": Decimal("100.1"),
        "high": Decimal("100.9"),
        "low": Decimal("99.5"),
        "close": Decimal("100.4"),
        "volume": Decimal("12.5"),
    }
    return Candle(**(fields | changes))


@pytest.mark.parametrize(
    ("law", "changes"),
    [
        ("high", {"high": Decimal("100.3")}),
        ("high", {"high": Decimal("100.0"), "close": Decimal("99.9")}),
        ("low", {"low": Decimal("100.2")}),
        ("low", {"low": Decimal("100.5"), "open": Decimal("100.8")}),
        ("price", {"low": Decimal(0)}),
        ("price", {"open": Decimal("-1")}),
        ("price", {"close": Decimal("NaN")}),
        ("price", {"high": Decimal("Infinity")}),
        ("volume", {"volume": Decimal("-0.1")}),
        ("volume", {"volume": Decimal("NaN")}),
        ("volume", {"volume": Decimal("Infinity")}),
        ("boundary", {"open_time": NOON + timedelta(minutes=1)}),
        ("boundary", {"open_time": NOON + timedelta(microseconds=1)}),
        ("boundary", {"open_time": NOON.replace(tzinfo=None)}),
        ("boundary", {"open_time": NOON.astimezone(timezone(timedelta(hours=2)))}),
    ],
)
def test_an_impossible_candle_is_refused_by_its_law(law: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ImpossibleCandle, match=f"impossible candle \\({law}\\): BTCUSDT 5m") as refusal:
        candle(**changes)
    assert refusal.value.law == law


def test_a_flat_candle_without_volume_is_possible() -> None:
    flat = dict.fromkeys(("open", "high", "low", "close"), Decimal("0.000000000001"))
    assert candle(**flat, volume=Decimal(0)).close_time == NOON + timedelta(minutes=5)


@pytest.mark.parametrize("late_s", [0, 1, 2])
def test_an_open_time_up_to_two_seconds_late_is_floored(late_s: int) -> None:
    assert aligned_open_time(NOON + timedelta(seconds=late_s), Timeframe.M5) == NOON


@pytest.mark.parametrize("off_s", [-1, 2.001, 3, 60])
def test_an_open_time_further_off_its_boundary_is_refused(off_s: float) -> None:
    with pytest.raises(ImpossibleCandle) as refusal:
        aligned_open_time(NOON + timedelta(seconds=off_s), Timeframe.M5)
    assert refusal.value.law == "boundary"


def test_a_confirmed_hole_is_flat_at_the_previous_close_and_trades_nothing() -> None:
    hole = flat_candle(candle(), NOON + timedelta(minutes=5))
    assert {hole.open, hole.high, hole.low, hole.close} == {Decimal("100.4")}
    assert (hole.volume, hole.source) == (Decimal(0), Source.EMPTY)


PRICE = st.one_of(
    st.decimals(min_value="-1", max_value="5", places=1),
    st.sampled_from([Decimal(text) for text in ("NaN", "sNaN", "Infinity", "-Infinity")]),
)


@given(st.tuples(PRICE, PRICE, PRICE, PRICE, PRICE))
def test_whatever_comes_a_candle_that_exists_keeps_the_laws(
    numbers: tuple[Decimal, Decimal, Decimal, Decimal, Decimal],
) -> None:
    names = ("open", "high", "low", "close", "volume")
    try:
        built = candle(**dict(zip(names, numbers, strict=True)))
    except ImpossibleCandle:
        assert not _lawful(*numbers)
    else:
        assert _lawful(built.open, built.high, built.low, built.close, built.volume)


def _lawful(open_: Decimal, high: Decimal, low: Decimal, close: Decimal, volume: Decimal) -> bool:
    finite = all(number.is_finite() for number in (open_, high, low, close, volume))
    return finite and 0 < low <= min(open_, close) and high >= max(open_, close) and volume >= 0
