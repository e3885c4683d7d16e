"""What an entry is decided from, read now: contract, brackets, quote, account, fees, and stored features."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from functools import cache
from threading import Lock
from typing import Generic, TypeVar

import structlog

from apps.engine.enter.observation import Features, Observation
from apps.engine.indicators.columns import features
from apps.engine.ports.account import Broker, BrokerRejected, BrokerUnavailable, BrokerUnknown
from apps.engine.profile import EntrySettings
from apps.engine.values.position import Bracket, FeeRates, Quote
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.exchange import venue
from apps.market import quotes
from apps.market import store as market
from apps.market.table import CandleTable

log = structlog.get_logger("order_journey")

T = TypeVar("T")
READS = 3
"""What is asked of the venue at once: account, brackets, fees."""
PUSHED_MAX_AGE = timedelta(seconds=1.5)
"""Half of what a quote may live: planning, the claim and the order's slot (0.5 s at most) come after it. A
venue that pushes each second keeps within it."""


def read_observation(
    symbol: str, entry: EntrySettings, timeframe: Timeframe, at: datetime, broker: Broker
) -> Observation:
    """Read all but the quote once; features of the candles closed at `at`, a minute.

    The venue is asked at once: the way there and back is most of the time. What it does not tell is None, and
    refuses the entry by its own reason. `read_quote` comes after it, so that the quote is young when it is
    used, however long the others had to wait for their turn.
    """
    cache = _venue_cache(broker)  # type: ignore[arg-type]  # one object a process; Protocols do not say hashable
    needed = {timeframe, entry.zone.timeframe, entry.zone.atr_timeframe, Timeframe.D1}
    with ThreadPoolExecutor(max_workers=READS) as beside:
        account = beside.submit(copy_context().run, _answer, broker.account)
        brackets = beside.submit(copy_context().run, _answer, lambda: cache.brackets(symbol))
        fees = beside.submit(copy_context().run, _answer, lambda: cache.fees(symbol))
        return Observation(
            contract=market.find_contract(symbol),
            features=stored_features(symbol, needed, at),
            brackets=tuple(brackets.result() or ()),
            quote=None,
            account=account.result(),
            fees=fees.result(),
        )


def read_quote(symbol: str, broker: Broker) -> Quote | None:
    """Return the quote pushed last, if it is young enough to last until the order goes; else ask the venue,
    which may not answer: None."""
    quote = quotes.read([symbol]).get(symbol)
    if quote is not None and datetime.now(UTC) - quote.at <= PUSHED_MAX_AGE:
        return quote
    return _answer(lambda: broker.quote(symbol))


def stored_features(symbol: str, timeframes: Iterable[Timeframe], at: datetime) -> Features:
    """Return the columns of each timeframe's newest candle closed at `at`; NaN where it is not stored."""
    newest: dict[Timeframe, dict[str, float | None]] = {}
    for timeframe in timeframes:
        until, length = timeframe.floor(at), WINDOW[timeframe]
        windows = CandleTable().windows((symbol,), timeframe, until=until, length=length)
        frame, _ = features(windows, 1)
        newest[timeframe] = {name: float(column[0, -1]) for name, column in frame.columns.items()}
    return newest


def _answer(read: Callable[[], T]) -> T | None:
    """Return what `read` returns; None when the broker does not answer it."""
    try:
        return read()
    except (BrokerRejected, BrokerUnavailable, BrokerUnknown) as fault:
        log.warning("preflight_read_failed", fault=str(fault))
        return None


@cache
def _venue_cache(broker: Broker) -> VenueCache:
    return VenueCache(broker, venue.current().constraints.fee_reads_apart_s)


BRACKETS_KEPT_S = 3600.0
FEES_KEPT_S = 86_400.0
"""An account's rates change by the month."""


class VenueCache:
    """Brackets and fee rates of one broker. Safe to share between threads; raises what the broker raises.

    Rates are read at most each `fee_reads_apart_s`, so that nobody waits for his turn.
    """

    def __init__(self, broker: Broker, fee_reads_apart_s: float) -> None:
        self._broker = broker
        self._fee_reads_apart_s = fee_reads_apart_s
        self._brackets: _ExpiringCache[list[Bracket]] = _ExpiringCache(BRACKETS_KEPT_S)
        self._fees: _ExpiringCache[FeeRates] = _ExpiringCache(FEES_KEPT_S)
        self._fees_read_at = float("-inf")
        self._fees_lock = Lock()

    def brackets(self, symbol: str) -> list[Bracket]:
        cached = self._brackets.get(symbol)
        return self._brackets.put(symbol, self._broker.brackets(symbol)) if cached is None else cached

    def fees(self, symbol: str) -> FeeRates:
        """Return the symbol's rates; until they can be read, the highest that the account has elsewhere."""
        with self._fees_lock:
            cached, others = self._fees.get(symbol), self._fees.all()
            if cached is not None:
                return cached
            if others and time.monotonic() - self._fees_read_at < self._fee_reads_apart_s:
                return max(others, key=lambda rates: rates.taker)
            self._fees_read_at = time.monotonic()
            return self._fees.put(symbol, self._broker.fee_rates(symbol))


class _ExpiringCache(Generic[T]):
    """Answers by symbol, forgotten after `keep_s`."""

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._answers: dict[str, tuple[float, T]] = {}

    def get(self, symbol: str) -> T | None:
        at, answer = self._answers.get(symbol, (float("-inf"), None))
        return answer if time.monotonic() - at < self._keep_s else None

    def all(self) -> list[T]:
        return [answer for symbol in list(self._answers) if (answer := self.get(symbol)) is not None]

    def put(self, symbol: str, answer: T) -> T:
        self._answers[symbol] = (time.monotonic(), answer)
        return answer
