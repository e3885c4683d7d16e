from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from apps.engine.ports.market import FormingCandle, Gap
from apps.engine.values.timeframe import Timeframe
from apps.exchange.simulator.market.archive import Archive
from tests.contract.conftest import NOON, Hand, Venue

MINUTE = Timeframe.M1.duration
OPEN = Timeframe.M1.floor(NOON)
LONGEST_S = 15.0

Value = FormingCandle | Gap


def until(values: Iterator[Value | None], enough: Callable[[list[Value]], bool]) -> list[Value]:
    """What comes until there is enough of it."""
    deadline = time.monotonic() + LONGEST_S
    values_seen: list[Value] = []
    for value in values:
        if value is not None:
            values_seen.append(value)
        if enough(values_seen):
            return values_seen
        assert time.monotonic() < deadline, f"not enough came: {values_seen[-3:]}"
    raise AssertionError("the stream ended by itself")


def symbols_of(values: list[Value], open_time: datetime) -> set[str]:
    return {
        value.symbol for value in values if isinstance(value, FormingCandle) and value.open_time == open_time
    }


def gaps(values: list[Value]) -> list[Gap]:
    return [value for value in values if isinstance(value, Gap)]


def test_every_symbol_is_pushed_at_once(venue: Venue, archive: Archive) -> None:
    values = venue.streams().candles(archive.symbols)
    values_seen = until(values, lambda seen: symbols_of(seen, OPEN) == set(archive.symbols))
    assert gaps(values_seen) == []


def test_the_last_push_of_a_bar_is_its_candle_in_the_history(
    venue: Venue, hand: Hand, archive: Archive
) -> None:
    symbols = archive.symbols[:3]
    values = venue.streams().candles(symbols)
    values_seen = until(values, lambda seen: symbols_of(seen, OPEN) == set(symbols))
    hand.move(31)
    values_seen += until(values, lambda seen: symbols_of(seen, OPEN + MINUTE) == set(symbols))
    for symbol in symbols:
        last = [
            v
            for v in values_seen
            if isinstance(v, FormingCandle) and (v.symbol, v.open_time) == (symbol, OPEN)
        ][-1]
        (candle,) = venue.history.candles(symbol, Timeframe.M1, OPEN, OPEN + MINUTE).candles
        assert _prices(last) == _prices(candle)


def test_open_times_sent_a_second_late_are_the_same_bars(venue: Venue) -> None:
    venue.switch(kline_ts_offset_s=1)
    values = venue.streams().candles(["BTCUSDT"])
    assert until(values, lambda seen: symbols_of(seen, OPEN) == {"BTCUSDT"})


def test_a_dropped_connection_comes_back_with_a_gap_and_pushes(venue: Venue) -> None:
    values = venue.streams().candles(["BTCUSDT", "ETHUSDT"])
    until(values, lambda seen: len(symbols_of(seen, OPEN)) == 2)
    venue.switch(ws_drop=True)
    values_seen = until(values, lambda seen: bool(gaps(seen)) and len(symbols_of(seen, OPEN)) == 2)
    (gap,) = gaps(values_seen)
    assert gap.symbols == ("BTCUSDT", "ETHUSDT")


def test_a_silent_connection_is_left_and_another_is_made(venue: Venue, hand: Hand) -> None:
    values = venue.streams().candles(["BTCUSDT"])
    until(values, lambda seen: bool(seen))
    venue.switch(ws_silence=True)
    ends = time.monotonic() + 1.0  # longer than the adapter bears silence
    silent = until(values, lambda _: time.monotonic() > ends)  # the other connection may be made in it
    venue.switch(ws_silence=False)
    hand.move(31)  # the next bar opens: whoever subscribed in the silence is pushed to now
    values_seen = until(
        values,
        lambda seen: bool(gaps(silent + seen)) and bool(symbols_of(seen, OPEN + MINUTE)),
    )
    assert gaps(silent + values_seen)[0].reason.startswith(("silent", "no connection", "closed"))


def test_a_quiet_market_keeps_its_connection(venue: Venue) -> None:
    values = venue.streams().candles(["BTCUSDT"])
    until(values, lambda seen: bool(seen))
    ends = time.monotonic() + 1.5  # more than twice as long as silence may last
    values_seen = until(values, lambda _: time.monotonic() > ends)
    assert gaps(values_seen) == []


def _prices(candle: Any) -> tuple[Any, ...]:
    return (candle.open, candle.high, candle.low, candle.close, candle.volume)
