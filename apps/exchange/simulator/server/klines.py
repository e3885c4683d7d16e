"""Candles as the exchange sends them, over REST and over WebSocket."""

from __future__ import annotations

from typing import Any

from apps.exchange.simulator.market.market import Stretch
from apps.exchange.simulator.market.path import Moment
from apps.exchange.simulator.server.faults import Faults
from apps.exchange.simulator.server.views import Views

MAX_ROWS = 500


def rows(
    views: Views,
    faults: Faults,
    symbol: str,
    step_s: int,
    span_s: tuple[int, int],
    moment: Moment,
    *,
    mark: bool,
) -> list[dict[str, Any]]:
    """Rows with start <= timestamp <= end, rising, the forming one too; the newest 500 of a longer span."""
    offset = faults.kline_ts_offset_s
    first = -(-(span_s[0] - offset) // step_s) * step_s
    newest = min(span_s[1] - offset, moment.minute * 60)
    last = newest - newest % step_s
    first = max(first, last - (MAX_ROWS - 1) * step_s, 0)
    if last < first:
        return []
    stretch = views.market.stretch(symbol, step_s, first, last, moment, mark=mark)
    keys = ("open_price", "high_price", "low_price", "close_price", "volume", "timestamp")
    return [dict(zip(keys, each, strict=True)) for each in _written(views, faults, symbol, stretch)]


def items(views: Views, faults: Faults, symbol: str, stretch: Stretch) -> list[dict[str, Any]]:
    """The same in a push's short names."""
    return [
        dict(zip("ohlcv", each, strict=False)) | {"ts": each[5]}
        for each in _written(views, faults, symbol, stretch)
    ]


def _written(
    views: Views, faults: Faults, symbol: str, stretch: Stretch
) -> list[tuple[str, str, str, str, str, int]]:
    text = views.listing(symbol).price_text
    written = []
    for at, (opened, high, low, closed, volume) in enumerate(stretch.candles.T.tolist()):
        open_s = stretch.first_open_s + at * stretch.step_s
        if not faults.misses(symbol, open_s, stretch.step_s):
            stamp = open_s + faults.kline_ts_offset_s
            written.append((text(opened), text(high), text(low), text(closed), str(volume), stamp))
    return written
