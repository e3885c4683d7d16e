from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from apps.engine.values.candle import Candle, Source
from apps.engine.values.contract import UnknownSymbol
from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import Timeframe
from apps.exchange.bitmart import errors
from apps.exchange.bitmart.history import PAGE
from apps.exchange.bitmart.routes import KLINE
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.transport.rate import bulk_rate
from apps.exchange.transport.rate_limiter import Blocked
from tests.contract.conftest import NOON, Venue

MINUTE = Timeframe.M1.duration
CLOSED = Timeframe.M1.floor(NOON)


def test_the_contracts_are_those_of_the_market_and_trade(venue: Venue, archive: Archive) -> None:
    contracts = {contract.symbol: contract for contract in venue.history.contracts()}
    assert set(contracts) == set(archive.symbols)
    for symbol, contract in contracts.items():
        assert contract.is_trading
        assert contract.contract_size == archive.listing(symbol).coins(1)
        assert contract.tick_size == archive.listing(symbol).price(1)
        assert contract.low_24h <= contract.last_price <= contract.high_24h
        assert contract.funding_at is not None
        assert contract.funding_at > NOON


@pytest.mark.parametrize("timeframe", Timeframe)
def test_a_full_page_is_the_recorded_market_candle_for_candle(
    venue: Venue, archive: Archive, timeframe: Timeframe
) -> None:
    end = timeframe.floor(NOON)
    start = end - PAGE * timeframe.duration
    expected = archive.candles("BTCUSDT", timeframe, start, end)
    assert len(expected) == PAGE
    assert venue.history.candles("BTCUSDT", timeframe, start, end).candles == _by_rest(expected)


def test_the_bar_that_still_forms_is_never_returned(venue: Venue) -> None:
    candles = venue.history.candles(
        "ETHUSDT", Timeframe.M1, CLOSED - 3 * MINUTE, CLOSED + 10 * MINUTE
    ).candles
    assert [candle.open_time for candle in candles] == [CLOSED - n * MINUTE for n in (3, 2, 1)]


def test_open_times_sent_a_second_late_make_the_same_candles(venue: Venue) -> None:
    stretch = ("ETHUSDT", Timeframe.M5, NOON.replace(hour=8, second=0), NOON.replace(hour=11, second=0))
    aligned = venue.history.candles(*stretch).candles
    venue.switch(kline_ts_offset_s=1)
    assert venue.history.candles(*stretch).candles == aligned
    assert len(aligned) == 36


def test_a_candle_the_exchange_does_not_have_is_simply_absent(venue: Venue) -> None:
    hole = CLOSED - 2 * MINUTE
    venue.switch(missing_candles=[f"BTCUSDT@{int(hole.timestamp())}"])
    candles = venue.history.candles("BTCUSDT", Timeframe.M1, CLOSED - 3 * MINUTE, CLOSED).candles
    assert [candle.open_time for candle in candles] == [hole - MINUTE, hole + MINUTE]


@pytest.mark.parametrize("skew_ms", [-45_000, 0, 45_000])
def test_the_exchanges_clock_is_measured_from_ours(venue: Venue, skew_ms: int) -> None:
    venue.switch(clock_skew_ms=skew_ms)
    before = datetime.now(UTC)
    offset_ms = venue.history.server_offset_ms()
    expected_ms = (NOON - before) / timedelta(milliseconds=1) + skew_ms
    assert offset_ms == pytest.approx(expected_ms, abs=1000)


def test_an_unknown_symbol_is_refused(venue: Venue) -> None:
    with pytest.raises(UnknownSymbol, match="NOSUCH"):
        venue.history.candles("NOSUCH", Timeframe.M1, CLOSED - MINUTE, CLOSED)
    with pytest.raises(errors.BadSymbol, match="40034"):
        venue.client.read(KLINE, {"symbol": "NOSUCH", "step": 1, "start_time": 0, "end_time": 60})


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"symbol": "BTCUSDT", "step": 7, "start_time": 0, "end_time": 60}, 40038),
        ({"symbol": "BTCUSDT", "step": 1}, 40039),
    ],
)
def test_a_wrong_request_is_our_fault_and_not_an_empty_market(
    venue: Venue, params: dict[str, str | int], code: int
) -> None:
    with pytest.raises(errors.WrongRequest, match=str(code)):
        venue.client.read(KLINE, params)


def test_an_outage_that_ends_is_outlasted_and_one_that_stays_is_said(venue: Venue) -> None:
    venue.history.contracts()
    venue.switch(answer_503=2)
    assert len(venue.history.contracts()) == 16
    venue.switch(answer_503=3)
    with pytest.raises(errors.Unavailable, match="503"):
        venue.history.contracts()


def test_a_418_stops_all_reading(venue: Venue) -> None:
    venue.switch(answer_418=1)
    with pytest.raises(errors.AddressBlocked, match="30017"):
        venue.history.contracts()
    with pytest.raises(Blocked, match="nothing is sent"):
        venue.history.server_offset_ms()


def test_reading_as_fast_as_we_may_is_never_told_to_slow_down(venue: Venue) -> None:
    venue.history.candles("BTCUSDT", Timeframe.M1, CLOSED - MINUTE, CLOSED)
    began, each = datetime.now(UTC), 5
    faults: list[Exception] = []

    def read() -> None:
        try:
            for _ in range(each):
                venue.history.candles("BTCUSDT", Timeframe.M1, CLOSED - PAGE * MINUTE, CLOSED)
        except TradingError as fault:
            faults.append(fault)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert faults == []
    elapsed_s = (datetime.now(UTC) - began).total_seconds()
    assert elapsed_s >= 14 / bulk_rate(KLINE).per_s  # 15 pages, 14 steps between them


def _by_rest(candles: list[Candle]) -> list[Candle]:
    return [replace(candle, source=Source.REST) for candle in candles]
