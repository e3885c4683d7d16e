"""The recorded market goes on for ever in both directions, without a jump, and adds up on every timeframe."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from apps.engine.values.contract import UnknownSymbol
from apps.engine.values.timeframe import Timeframe
from apps.exchange.simulator.market.archive import Archive, rolled_up
from apps.exchange.simulator.market.state import DEFAULT_DAY
from apps.exchange.simulator.tape.code import CLOSE, HIGH, LOW, OPEN, VOLUME, Matrix
from apps.exchange.simulator.tape.read import load
from tests.simulator.conftest import STATE

LENGTH = 24 * 1440
FIRST = STATE.first_minute


def minutes(archive: Archive, symbol: str, first: int, count: int) -> Matrix:
    return archive.matrix(symbol, 60, first * 60, count)


def steps(candles: Matrix) -> np.ndarray:
    """Absolute log returns from each close to the next open and the next close."""
    closes, opens = candles[CLOSE], candles[OPEN]
    return np.abs(np.concatenate([np.log(closes[1:] / closes[:-1]), np.log(opens[1:] / closes[:-1])]))


def test_the_original_stretch_is_the_tape_bit_for_bit(archive: Archive) -> None:
    for tape in load():
        assert np.array_equal(minutes(archive, tape.listing.symbol, FIRST, LENGTH), tape.candles)


def test_the_chosen_day_of_the_tape_plays_on_the_first_day(archive: Archive) -> None:
    played = archive.candles(
        "BTCUSDT", Timeframe.M1, datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
    )
    tape = load(count=1)[0]
    recorded = tape.candles[:, DEFAULT_DAY * 1440 : (DEFAULT_DAY + 1) * 1440]
    assert [candle.close for candle in played] == [tape.listing.price(ticks) for ticks in recorded[CLOSE]]
    assert [candle.volume for candle in played] == [tape.listing.coins(each) for each in recorded[VOLUME]]
    assert played[0].open_time == datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize("repeat", [-3, -2, -1, 0, 1, 2])
def test_no_seam_jumps_further_than_the_tape_itself(archive: Archive, repeat: int) -> None:
    for symbol in archive.symbols[:16]:
        seam = FIRST + (repeat + 1) * LENGTH
        across = minutes(archive, symbol, seam - 2, 4)
        within = steps(minutes(archive, symbol, FIRST, LENGTH))
        assert steps(across).max() <= within.max(), symbol


def test_a_repeat_neither_rises_nor_falls_on_the_whole(archive: Archive) -> None:
    for symbol in archive.symbols[:16]:
        tape = minutes(archive, symbol, FIRST, LENGTH)
        for far in (-13, -1, 1, 20):
            closes = minutes(archive, symbol, FIRST + far * LENGTH, LENGTH)[CLOSE]
            expected = tape[OPEN, 0] if far < 0 else tape[CLOSE, -1]
            assert closes[-1] == expected, (symbol, far)


@pytest.mark.parametrize("away_minutes", [-5_000_000, -40_000, -20_000, 30_000, 50_000, 5_000_000])
def test_candles_obey_their_laws_anywhere(archive: Archive, away_minutes: int) -> None:
    for symbol in archive.symbols:
        candles = minutes(archive, symbol, FIRST + away_minutes, 2000)
        assert (candles[HIGH] >= candles[[OPEN, CLOSE]].max(axis=0)).all()
        assert (candles[LOW] <= candles[[OPEN, CLOSE]].min(axis=0)).all()
        assert (candles[LOW] >= 1).all()


@pytest.mark.parametrize("symbol", ["BTCUSDT", "LAYERUSDT", "ETH2USDT"])
@pytest.mark.parametrize("step_min", [3, 5, 15, 30, 60, 240, 1440, 4320, 10080])
def test_every_timeframe_is_the_roll_up_of_the_minutes(archive: Archive, symbol: str, step_min: int) -> None:
    for around in (FIRST, FIRST + LENGTH, FIRST - 40 * LENGTH, FIRST + 7 * LENGTH + 777):
        first = (around // step_min - 3) * step_min
        coarse = archive.matrix(symbol, step_min * 60, first * 60, 6)
        assert np.array_equal(coarse, rolled_up(minutes(archive, symbol, first, 6 * step_min), step_min))


def test_adjoining_requests_give_adjoining_candles(archive: Archive) -> None:
    whole = minutes(archive, "SOLUSDT", FIRST - 100, LENGTH + 200)
    parts = [
        minutes(archive, "SOLUSDT", FIRST - 100, 150),
        minutes(archive, "SOLUSDT", FIRST + 50, LENGTH + 50),
    ]
    assert np.array_equal(np.concatenate(parts, axis=1), whole)


def test_a_clone_plays_its_original_at_another_time(archive: Archive) -> None:
    assert archive.symbols[16:] == ("BTC2USDT", "ETH2USDT", "SOL2USDT", "XRP2USDT")
    assert archive.listing("BTC2USDT").base == "BTC2"
    phase = int(0.6180339887 * LENGTH)
    clone = minutes(archive, "BTC2USDT", FIRST - phase, LENGTH)
    assert np.array_equal(clone, minutes(archive, "BTCUSDT", FIRST, LENGTH))


def test_the_first_symbols_are_the_same_whatever_their_number(archive: Archive) -> None:
    few = Archive.open(STATE, symbols=3)
    assert few.symbols == archive.symbols[:3]
    assert np.array_equal(minutes(few, "SOLUSDT", FIRST - 9, 99), minutes(archive, "SOLUSDT", FIRST - 9, 99))


def test_only_candles_that_open_in_the_span_are_given(archive: Archive) -> None:
    start = datetime(2026, 11, 20, 10, 0, 1, tzinfo=UTC)
    given = archive.candles("BTCUSDT", Timeframe.M5, start, start + timedelta(minutes=10))
    assert [candle.open_time.minute for candle in given] == [5, 10]
    assert archive.candles("BTCUSDT", Timeframe.M5, start, start) == []
    assert archive.candles("BTCUSDT", Timeframe.M5, start, start - timedelta(hours=9)) == []


def test_an_unknown_contract_is_refused_by_name(archive: Archive) -> None:
    with pytest.raises(UnknownSymbol, match="NOPEUSDT"):
        archive.candles("NOPEUSDT", Timeframe.M1, datetime.now(UTC), datetime.now(UTC))


@pytest.mark.parametrize("symbols", [0, -1, 2001])
def test_a_number_of_symbols_out_of_bounds_is_refused(symbols: int) -> None:
    with pytest.raises(ValueError, match=f"{symbols} symbols"):
        Archive.open(STATE, symbols=symbols)
