"""What the engine asks of the world. Adapters implement these; a contract suite holds each of them to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from apps.engine.frame import Windows
from apps.engine.values.candle import Candle
from apps.engine.values.contract import Contract
from apps.engine.values.timeframe import Timeframe


class Candles(Protocol):
    """Stored closed candles as wide windows."""

    def windows(
        self, symbols: Sequence[str], timeframe: Timeframe, *, until: datetime, length: int
    ) -> Windows:
        """The `length` closed candles up to the one that closes at `until` (a boundary of `timeframe`)."""


class CandleHistory(Protocol):
    """A venue's past candles and contracts, by request."""

    def server_offset_ms(self) -> float:
        """Server clock minus ours, milliseconds."""

    def contracts(self) -> list[Contract]:
        """Every contract the venue lists."""

    def candles(self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime) -> list[Candle]:
        """Closed candles with start <= open_time < end, rising; at most one page (499). Source REST.

        Impossible rows are dropped, counted and logged by the adapter.
        """


@dataclass(frozen=True, slots=True)
class FormingCandle:
    """A push about a candle that may still change: kept for display until it is known to be closed.

    `received_at` is our clock at the push. `silent_since` of a stream is judged from it.
    """

    symbol: str
    timeframe: Timeframe
    open_time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """The stream was interrupted for these symbols: what closed in between must be fetched."""

    symbols: tuple[str, ...]
    reason: str


class Streams(Protocol):
    """A venue's pushes, already parsed."""

    def candles(self, symbols: Sequence[str]) -> Iterator[FormingCandle | Gap]:
        """Pushes of 1m candles of `symbols`, for ever; reconnects by itself and says so by a Gap.

        Yields None-free values only; blocks at most `poll_s` between values is not promised: use `close`.
        """

    def close(self) -> None:
        """End `candles` soon, from any thread."""
