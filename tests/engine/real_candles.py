"""Real candles, read from the folder of shared market data that lies beside the repository."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from apps.engine.frame import Floats, Windows, windows
from apps.engine.rollup import roll_up_columns
from apps.engine.values.candle import Candle, Source
from apps.engine.values.timeframe import Timeframe

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "candles"


def candles(name: str, symbol: str, timeframe: Timeframe, count: int) -> list[Candle]:
    """The newest `count` candles of the file `name`, exact."""
    with gzip.open(_file(name), "rt") as lines:
        rows = [line.rstrip().split(",") for line in lines][1:][-count:]
    return [_candle(symbol, timeframe, row) for row in rows]


@cache
def columns(name: str, timeframe: Timeframe) -> tuple[Floats, int]:
    """The file as (5, 1, N) on an unbroken axis, NaN in its holes, and its first open in Unix ms."""
    table = np.loadtxt(_file(name), delimiter=",", skiprows=1)
    first = int(table[0, 0])
    places = ((table[:, 0] - first) // timeframe.ms).astype(np.int64)
    out = np.full((5, 1, int(places[-1]) + 1), np.nan)
    out[:, 0, places] = table[:, 1:].T
    return out, first


@cache
def history(symbols: tuple[str, ...], timeframe: Timeframe) -> Windows:
    """The stretch of 1m candles that `symbols` share, rolled up to `timeframe`."""
    files = [columns(f"1m/{symbol}.csv.gz", Timeframe.M1) for symbol in symbols]
    first = max(start for _, start in files)
    last = min(start + part.shape[2] * Timeframe.M1.ms for part, start in files)
    spans = [
        slice((first - start) // Timeframe.M1.ms, (last - start) // Timeframe.M1.ms) for _, start in files
    ]
    wide = np.concatenate([part[:, :, span] for (part, _), span in zip(files, spans, strict=True)], axis=1)
    if timeframe is not Timeframe.M1:
        wide, first = roll_up_columns(wide, first, Timeframe.M1, timeframe)
    return windows(symbols, timeframe, _moment(first + wide.shape[2] * timeframe.ms), wide)


def cut(whole: Windows, end: int, length: int) -> Windows:
    """The windows as they were when `length` candles ended at column `end`: nothing later, nothing older."""
    until = whole.until - (whole.candles.shape[2] - end) * whole.timeframe.duration
    part = whole.candles[:, :, end - length : end].copy()
    return windows(whole.symbols, whole.timeframe, until, part)


def _candle(symbol: str, timeframe: Timeframe, row: list[str]) -> Candle:
    open_, high, low, close, volume = (Decimal(text) for text in row[1:])
    return Candle(symbol, timeframe, _moment(int(row[0])), open_, high, low, close, volume, Source.FILE)


def _moment(unix_ms: int) -> datetime:
    return datetime.fromtimestamp(unix_ms // 1000, UTC)


def _file(name: str) -> Path:
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"the shared market data is not beside the repository: {path} is absent")
    return path
