"""The market as the engine needs it: candles by request, candles and quotes as they are pushed.

Each adapter passes the contract suite of its port.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from apps.engine.values.candle import Candle
from apps.engine.values.contract import Contract
from apps.engine.values.position import Quote
from apps.engine.values.timeframe import Timeframe


@dataclass(frozen=True, slots=True)
class CandlePage:
    """What one request for candles returned: closed ones, rising, and how many rows were no possible candle.

    Where `refused` is not 0 an absent candle may be one of them: the page confirms no hole.
    """

    candles: list[Candle]
    refused: int = 0


class CandleHistory(Protocol):
    """A venue's past candles and contracts, by request. Safe to share between threads.

    Each call waits its turn at the shared rate limit and retries what can heal; then it raises a TradingError
    whose `retryable` says whether the same call may succeed later.
    """

    def server_offset_ms(self) -> float:
        """Return the server's clock minus ours, milliseconds, measured now."""

    def contracts(self) -> list[Contract]:
        """Return every contract the venue lists, also ended ones; unreadable ones are only logged."""

    def candles(self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime) -> CandlePage:
        """Return closed candles with start <= open_time < end; at most the venue's
        `candles_per_request`. Source REST.

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
        """Yield pushes of 1m candles of `symbols`, until `close`; reconnects by itself and yields a Gap then.

        Yields None when nothing arrived within `poll_s`, so that the consumer can act on time.
        """

    def close(self) -> None:
        """End `candles` promptly, from any thread; harmless when repeated."""


class QuoteStreams(Protocol):
    """A venue's pushed quotes. One object streams once: after `close` make another."""

    def subscribe(self, symbols: Collection[str]) -> None:
        """Stream these symbols and no others from now on, from any thread; an unknown one is only logged."""

    def quotes(self, poll_s: float = 0.1) -> Iterator[Quote | None]:
        """Yield a Quote whenever a part of it was pushed, until `close`; None when none came within `poll_s`.
        It is as old as its oldest part: by the venue's own stamp where it sends one, else by our receipt.
        What is crossed or no price yields nothing. Reconnects by itself; what was missed is not told.
        """

    def close(self) -> None:
        """End `quotes` promptly, from any thread."""
