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


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request for candles brought: closed ones, rising, and how many rows were no possible candle.

    Where `refused` is not 0 an absent candle may be one of them: the answer confirms no hole.
    """

    candles: list[Candle]
    refused: int = 0


class CandleHistory(Protocol):
    """A venue's past candles and contracts, by request. Safe to share between threads.

    Each call waits its turn at the shared rate limit and retries what can heal; then it raises a TradingError
    whose `retryable` says whether the same call may succeed later.
    """

    def server_offset_ms(self) -> float:
        """Server clock minus ours, milliseconds, measured now."""

    def contracts(self) -> list[Contract]:
        """Every contract the venue lists, also those no longer traded; unreadable ones are only logged."""

    def candles(self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime) -> Answer:
        """Closed candles with start <= open_time < end; at most one page (499). Source REST.

        `start` and `end` are aware UTC. Impossible rows are dropped, counted by law and logged.
        ValueError when the range is empty or longer than a page.
        """


@dataclass(frozen=True, slots=True)
class FormingCandle:
    """A push about a candle that may still change: kept for display until it is known to be closed.

    Prices in quote currency, volume in base coins, `open_time` aware UTC on its boundary; it obeys the
    laws of Candle. `received_at` is our clock at the push: how long a stream is silent is judged from it.
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
    """The stream was interrupted for these symbols: what closed in between must be fetched.

    It comes when the pushes flow again, or at once (and once) for symbols the venue will not stream at all.
    """

    symbols: tuple[str, ...]
    reason: str


class Streams(Protocol):
    """A venue's pushes, already parsed. One object streams once: after `close` make another."""

    def candles(self, symbols: Sequence[str], poll_s: float = 0.1) -> Iterator[FormingCandle | Gap | None]:
        """Pushes of 1m candles of `symbols`, until `close`; reconnects by itself and says so by a Gap.

        Yields None when nothing arrived within `poll_s`, so that the consumer can act on time.
        """

    def close(self) -> None:
        """End `candles` promptly, from any thread; harmless when repeated."""
