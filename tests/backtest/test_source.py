"""Candles of a backtest: the recorded market by its own dates, the market room as it is stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.backtest.entry_signals import judge_past
from apps.backtest.source import CandleRange, Holes, RecordedSource, SourceError, find_holes, open_recorded
from apps.backtest.source.stored import StoredSource, open_stored
from apps.engine.frame import CLOSE
from apps.engine.values.contract import Contract
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.market import store
from apps.market.models import Contract as Row
from apps.profiles.files import load_profiles
from tests.rooms.builders import candle, contract

START, END = datetime(2025, 5, 20, 11, 57, tzinfo=UTC), datetime(2025, 5, 20, 16, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EMPTY = "the range is empty: it ends at 2025-05-20 {} UTC and begins at 2025-05-20 {} UTC"
SHORT = "a warm-up of 0 windows is too short: live needs 1"
PROFILES = Path(__file__).resolve().parents[2] / "profiles"


def candle_range(*symbols: str, **changes: Any) -> CandleRange:
    given: dict[str, Any] = {"symbols": symbols or ("BTCUSDT",), "start": START, "end": END} | changes
    return CandleRange(**given)


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"symbols": ()}, ["no symbol is named"]),
        ({"symbols": ("A", "B", "A")}, ["A is named twice"]),
        ({"start": END}, [EMPTY.format("16:09", "16:09")]),
        ({"start": END, "end": START}, [EMPTY.format("11:57", "16:09")]),
        ({"end": END + timedelta(seconds=3)}, ["2025-05-20 16:09:03+00:00 is not a whole minute of UTC"]),
        ({"start": START.replace(tzinfo=None)}, ["2025-05-20 11:57:00 is not a whole minute of UTC"]),
        ({"symbols": (), "warm_up": 0}, ["no symbol is named", SHORT]),
    ],
)
def test_a_senseless_question_is_refused_with_every_fault(changes: dict[str, Any], faults: list[str]) -> None:
    with pytest.raises(SourceError) as refused:
        candle_range(**changes)
    assert list(refused.value.faults) == faults


def test_every_close_from_the_start_up_to_the_end_is_judged() -> None:
    closes = candle_range().closes_ms
    assert closes[0] == START.timestamp() * 1000
    assert closes[-1] == (END - MINUTE).timestamp() * 1000
    assert set(np.diff(closes).tolist()) == {60_000}


@pytest.mark.parametrize("timeframe", list(WINDOW))
@pytest.mark.parametrize("warm_up", [1, 2])
def test_the_first_close_has_a_whole_live_window_behind_it(timeframe: Timeframe, warm_up: int) -> None:
    stretch = open_recorded(candle_range(warm_up=warm_up)).windows("BTCUSDT", [timeframe])[timeframe]
    first = int(timeframe.floor(START).timestamp()) * 1000
    assert stretch.close_ms.tolist().index(first) == WINDOW[timeframe] * warm_up - 1
    assert stretch.until == timeframe.floor(END - MINUTE)
    assert not np.isnan(stretch.candles).any()


def test_the_recorded_market_tells_unknown_symbols_and_dates_at_once() -> None:
    with pytest.raises(SourceError) as refused:
        open_recorded(candle_range("BTCUST", "ETHUSDT", end=datetime(2025, 6, 3, 0, 1, tzinfo=UTC)))
    assert list(refused.value.faults) == [
        "unknown symbol 'BTCUST'; nearest: 'BTCUSDT' (16 contracts are in the recorded market)",
        "the recorded market has 2025-05-10 00:00 UTC to 2025-06-03 00:00 UTC, "
        "not 2025-05-20 11:57 UTC to 2025-06-03 00:01 UTC",
    ]


def test_the_whole_tape_can_be_asked_for_with_the_chained_past_before_it() -> None:
    whole = candle_range(start=datetime(2025, 5, 10, tzinfo=UTC), end=datetime(2025, 6, 3, tzinfo=UTC))
    source = open_recorded(whole)
    assert len(whole.closes_ms) == 34_560
    assert not np.isnan(source.windows("BTCUSDT", WINDOW)[Timeframe.H4].candles).any()


def test_symbols_keep_the_order_they_are_asked_in() -> None:
    assert open_recorded(candle_range("XRPUSDT", "BTCUSDT")).archive.symbols == ("XRPUSDT", "BTCUSDT")


def test_a_recorded_candle_is_the_float_nearest_to_the_exact_decimal() -> None:
    source = open_recorded(candle_range("LAYERUSDT"))
    wide = source.windows("LAYERUSDT", [Timeframe.M1])[Timeframe.M1]
    for recorded in source.archive.candles("LAYERUSDT", Timeframe.M1, START, END - MINUTE):
        at = int(np.searchsorted(wide.close_ms, (recorded.open_time + MINUTE).timestamp() * 1000))
        exact = (recorded.open, recorded.high, recorded.low, recorded.close, recorded.volume)
        assert wide.candles[:, 0, at].tolist() == [float(value) for value in exact]


# --- the market room --------------------------------------------------------------------------------------


def fill(source: RecordedSource, *, skipped: tuple[datetime, ...] = ()) -> None:
    """Store what a backtest of `source` looks at, but for the 1m candles that open at `skipped`."""
    for symbol in source.archive.symbols:
        for timeframe in WINDOW:
            until, count = source.range.axis(timeframe)
            candles = source.archive.candles(symbol, timeframe, until - count * timeframe.duration, until)
            stays = timeframe is not Timeframe.M1
            store.save_candles(each for each in candles if stays or each.open_time not in skipped)
        closing = source.archive.candles(symbol, Timeframe.M1, END - MINUTE, END)
        store.save_candles(closing)
    listed = [_listed(source, symbol) for symbol in source.archive.symbols]
    store.save_contracts(listed, START)


def _listed(source: RecordedSource, symbol: str) -> Contract:
    listing = source.archive.listing(symbol)
    return contract(symbol, tick_size=listing.tick, contract_size=listing.contract_size)


@pytest.mark.django_db
def test_stored_candles_are_the_recorded_ones_to_the_bit() -> None:
    files = open_recorded(candle_range())
    fill(files)
    database = open_stored(candle_range())
    for timeframe, wide in files.windows("BTCUSDT", WINDOW).items():
        stored = database.windows("BTCUSDT", [timeframe])[timeframe]
        assert (stored.symbols, stored.until) == (wide.symbols, wide.until)
        np.testing.assert_array_equal(stored.candles, wide.candles)
    _same_archive(database, files)


@pytest.mark.django_db
def test_a_profile_says_the_same_of_stored_and_of_recorded_candles() -> None:
    files = open_recorded(candle_range())
    fill(files)
    [profile] = load_profiles(PROFILES, ["scalper_micro"])
    judgements = [judge_past(source, "BTCUSDT", profile) for source in (files, open_stored(candle_range()))]
    assert [judgements[0].verdict(row) for row in (0, 100, 251)] == [
        judgements[1].verdict(row) for row in (0, 100, 251)
    ]
    np.testing.assert_array_equal(judgements[0].reason_code, judgements[1].reason_code)


def _same_archive(database: StoredSource, files: RecordedSource) -> None:
    first_s, count = int(START.timestamp()), (END - START) // MINUTE
    np.testing.assert_array_equal(
        database.archive.matrix("BTCUSDT", 60, first_s, count),
        files.archive.matrix("BTCUSDT", 60, first_s, count),
    )
    assert database.archive.listing("BTCUSDT").tick == files.archive.listing("BTCUSDT").tick


@pytest.mark.django_db
def test_a_hole_is_reported_and_stands_still_without_volume_where_it_is_traded() -> None:
    lost = (START + 10 * MINUTE, START + 11 * MINUTE)
    files = open_recorded(candle_range())
    fill(files, skipped=lost)
    database = open_stored(candle_range())
    assert find_holes(database.windows("BTCUSDT", WINDOW), START) == (Holes(Timeframe.M1, 2, lost[0]),)
    assert find_holes(files.windows("BTCUSDT", WINDOW), START) == ()
    before, first, second = database.archive.matrix(
        "BTCUSDT", 60, int(lost[0].timestamp()) - 60, 3
    ).T.tolist()
    assert first == second == [before[CLOSE]] * 4 + [0]


@pytest.mark.django_db
def test_the_market_room_tells_unknown_symbols_dates_and_contracts_at_once() -> None:
    fill(open_recorded(candle_range("BTCUSDT", "XRPUSDT")))
    store.save_contracts([contract("BTCUSDT"), contract("ETHUSDT")], START)
    with pytest.raises(SourceError) as refused:
        open_stored(candle_range("BTCUSD", "XRPUSDT", start=datetime(2024, 5, 20, tzinfo=UTC)))
    assert list(refused.value.faults) == [
        "unknown symbol 'BTCUSD'; nearest: 'BTCUSDT' "
        "(2 contracts have candles here; manage.py backfill_klines fetches them)",
        "XRPUSDT is stored from 2025-05-19 11:07 UTC to 2025-05-20 16:09 UTC, "
        "not from 2024-05-20 00:00 UTC to 2025-05-20 16:09 UTC",
    ]


@pytest.mark.django_db
def test_days_without_one_candle_between_stored_ones_are_refused_by_name() -> None:
    store.save_contracts([contract("BTCUSDT"), contract("ETHUSDT")], START)
    around = [START - timedelta(days=2), START + timedelta(days=2)]
    store.save_candles(candle(symbol, open_time=at) for symbol in ("BTCUSDT", "ETHUSDT") for at in around)
    with pytest.raises(SourceError) as refused:
        open_stored(candle_range("BTCUSDT", "ETHUSDT"))
    assert list(refused.value.faults) == [
        f"{symbol} has not one 1m candle from 2025-05-20 00:00 UTC to 2025-05-21 00:00 UTC: "
        "backfill_klines fetches what the exchange has"
        for symbol in ("BTCUSDT", "ETHUSDT")
    ]


@pytest.mark.django_db
def test_a_contract_that_is_not_stored_is_named() -> None:
    fill(open_recorded(candle_range("XRPUSDT")))
    Row.objects.filter(symbol="XRPUSDT").delete()
    with pytest.raises(SourceError, match="XRPUSDT has candles but its contract is not stored"):
        open_stored(candle_range("XRPUSDT"))


@pytest.mark.django_db
def test_ticks_are_as_fine_as_the_finest_stored_price() -> None:
    files = open_recorded(candle_range("XRPUSDT"))
    fill(files)
    store.save_contracts([contract("XRPUSDT", tick_size=Decimal("0.05"), contract_size=Decimal(10))], START)
    listing = open_stored(candle_range("XRPUSDT")).archive.listing("XRPUSDT")
    assert listing.tick == files.archive.listing("XRPUSDT").tick
    assert (listing.contract_size, listing.max_volume) == (Decimal(1), 10_000_000)
