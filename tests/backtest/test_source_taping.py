"""Stored candles as a tape: exact in ticks and contracts, standing still where there is no candle."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from apps.backtest.source.stored import tape_of
from apps.engine.frame import Windows, windows
from apps.engine.values.timeframe import Timeframe
from tests.rooms.builders import contract

UNTIL = datetime(2025, 5, 20, tzinfo=UTC)
ABSENT = (np.nan,) * 5


def minutes(*candles: tuple[float, ...]) -> Windows:
    columns = np.array(candles, dtype=np.float64).T
    return windows(("BTCUSDT",), Timeframe.M1, UNTIL, columns.reshape(5, 1, -1))


def test_prices_become_ticks_and_coins_contracts() -> None:
    tape = tape_of(contract(), minutes((100.1, 102.4, 99.7, 100.3, 0.123)))
    assert tape.candles.T.tolist() == [[1001, 1024, 997, 1003, 123]]
    assert tape.first_minute == int(UNTIL.timestamp()) // 60 - 1
    assert tape.listing.price(1001) == Decimal("100.1")
    assert tape.listing.coins(123) == Decimal("0.123")


def test_an_absent_minute_stands_at_the_close_before_it_and_the_first_ones_at_the_first_open() -> None:
    candle = (100.0, 102.0, 99.0, 101.0, 5.0)
    tape = tape_of(contract(), minutes(ABSENT, ABSENT, candle, ABSENT, candle))
    known = [1000, 1020, 990, 1010, 5000]
    assert tape.candles.T.tolist() == [[1000] * 4 + [0]] * 2 + [known, [1010] * 4 + [0], known]


def test_a_tick_is_refined_until_every_price_is_a_whole_number_of_them() -> None:
    tape = tape_of(contract(tick_size=Decimal("0.5")), minutes((0.30001, 0.4, 0.25, 0.3, 1.0)))
    assert tape.listing.tick == Decimal("0.00001")
    assert tape.candles[:4, 0].tolist() == [30001, 40000, 25000, 30000]


@pytest.mark.parametrize(
    ("size", "step", "most"), [("0.001", "0.001", 1000), ("0.5", "0.1", 5000), ("10", "1", 10_000)]
)
def test_a_contract_is_a_decimal_digit_of_coins_and_the_largest_order_the_same_coins(
    size: str, step: str, most: int
) -> None:
    listing = tape_of(
        contract(contract_size=Decimal(size), max_volume=Decimal(1000)), minutes((1.0, 1.0, 1.0, 1.0, 1.0))
    ).listing
    assert listing.contract_size == Decimal(step)
    assert listing.max_volume == most


def test_one_bracket_stands_for_those_of_the_venue() -> None:
    [bracket] = tape_of(contract(max_leverage=Decimal(50)), minutes((1.0,) * 5)).listing.brackets
    assert (bracket["initial_leverage"], Decimal(bracket["maint_margin_ratio"])) == (50, Decimal("0.01"))


def test_without_any_candle_there_is_no_tape() -> None:
    with pytest.raises(ValueError, match="no candle"):
        tape_of(contract(), minutes(ABSENT, ABSENT))
