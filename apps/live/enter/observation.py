"""What an entry is decided from, read now: contract, brackets, quote, account, fees, and stored features."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from functools import cache
from typing import TypeVar

import structlog

from apps.engine.enter.observation import Features, Observation
from apps.engine.indicators.columns import features
from apps.engine.ports import Broker, BrokerRejected, BrokerUnavailable, BrokerUnknown
from apps.engine.profile import EntrySettings
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.exchange import venue
from apps.live.enter.venue_cache import VenueCache
from apps.market import store as market
from apps.market.table import CandleTable

log = structlog.get_logger("order_journey")

T = TypeVar("T")
READS = 4
"""What is asked of the venue: quote, account, brackets, fees."""


def read_observation(
    symbol: str, entry: EntrySettings, timeframe: Timeframe, at: datetime, broker: Broker
) -> Observation:
    """One look at the market and the account; features of the candles closed at `at`, a minute.

    The venue is asked everything at once: the way there and back is most of the time. What it does not tell
    is None, and refuses the entry by its own reason.
    """
    kept = _kept(broker)  # type: ignore[arg-type]  # one object a process; Protocols do not say hashable
    needed = {timeframe, entry.zone.timeframe, entry.zone.atr_timeframe, Timeframe.D1}
    with ThreadPoolExecutor(max_workers=READS) as beside:
        quote = _asked(beside, lambda: broker.quote(symbol))
        account = _asked(beside, broker.account)
        brackets = _asked(beside, lambda: kept.brackets(symbol))
        fees = _asked(beside, lambda: kept.fees(symbol))
        contract, columns = market.find_contract(symbol), stored_features(symbol, needed, at)
    return Observation(
        contract=contract,
        brackets=tuple(brackets.result() or ()),
        quote=quote.result(),
        account=account.result(),
        fees=fees.result(),
        features=columns,
    )


def stored_features(symbol: str, timeframes: Iterable[Timeframe], at: datetime) -> Features:
    """The columns of each timeframe's newest candle closed at `at`; NaN throughout where it is not stored."""
    return {timeframe: _newest(symbol, timeframe, at) for timeframe in timeframes}


def _newest(symbol: str, timeframe: Timeframe, at: datetime) -> dict[str, float | None]:
    until, length = timeframe.floor(at), WINDOW[timeframe]
    windows = CandleTable().windows((symbol,), timeframe, until=until, length=length)
    frame, _ = features(windows, 1)
    return {name: float(column[0, -1]) for name, column in frame.columns.items()}


def _asked(beside: ThreadPoolExecutor, read: Callable[[], T]) -> Future[T | None]:
    """`read` in another thread, its log lines bound as ours."""
    return beside.submit(copy_context().run, _known, read)


def _known(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except (BrokerRejected, BrokerUnavailable, BrokerUnknown) as fault:
        log.warning("preflight_read_failed", fault=str(fault))
        return None


@cache
def _kept(broker: Broker) -> VenueCache:
    return VenueCache(broker, venue.current().constraints.fee_reads_apart_s)
