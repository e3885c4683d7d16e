"""What an entry is decided from, read now: contract, brackets, quote, account, fees, and stored features."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Generic, TypeVar

import structlog

from apps.engine.enter.snapshot import Features, Snapshot
from apps.engine.indicators.compute import features
from apps.engine.ports import Broker, BrokerRejected, BrokerUnavailable, BrokerUnknown
from apps.engine.profile import Entry
from apps.engine.values.position import Bracket, FeeRates
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.market import store as market

log = structlog.get_logger("order_journey")

BRACKETS_KEPT_S = 3600.0
FEES_KEPT_S = 86_400.0
"""An account's rates change by the month, and the exchange tells one symbol a second."""

T = TypeVar("T")


def snapshot(symbol: str, entry: Entry, timeframe: Timeframe, at: datetime, broker: Broker) -> Snapshot:
    """One look at the market and the account; features of the candles closed at `at`, a minute.

    What the venue does not tell is None, and refuses the entry by its own reason.
    """
    kept = _kept(broker)  # type: ignore[arg-type]  # one object a process; Protocols do not say hashable
    needed = {timeframe, entry.zone.timeframe, entry.zone.atr_timeframe, Timeframe.D1}
    return Snapshot(
        contract=market.listed(symbol),
        brackets=tuple(_known(lambda: kept.brackets.of(symbol)) or ()),
        quote=_known(lambda: broker.quote(symbol)),
        account=_known(broker.account),
        fees=_known(lambda: kept.fees.of(symbol)),
        features=stored_features(symbol, needed, at),
    )


def stored_features(symbol: str, timeframes: Iterable[Timeframe], at: datetime) -> Features:
    """The columns of each timeframe's newest candle closed at `at`; NaN throughout where it is not stored."""
    return {timeframe: _newest(symbol, timeframe, at) for timeframe in timeframes}


def _newest(symbol: str, timeframe: Timeframe, at: datetime) -> dict[str, float | None]:
    until, length = timeframe.floor(at), WINDOW[timeframe]
    windows = market.Table().windows((symbol,), timeframe, until=until, length=length)
    frame, _ = features(windows, 1)
    return {name: float(column[0, -1]) for name, column in frame.columns.items()}


def _known(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except (BrokerRejected, BrokerUnavailable, BrokerUnknown) as fault:
        log.warning("preflight_read_failed", fault=str(fault))
        return None


@dataclass
class _Kept(Generic[T]):
    """Answers by symbol, read again after `keep_s`; a failed read is not kept."""

    read: Callable[[str], T]
    keep_s: float
    _answers: dict[str, tuple[float, T]] = field(default_factory=dict)

    def of(self, symbol: str) -> T:
        read_at, answer = self._answers.get(symbol, (0.0, None))
        if answer is not None and time.monotonic() - read_at < self.keep_s:
            return answer
        answer = self.read(symbol)
        self._answers[symbol] = (time.monotonic(), answer)
        return answer


@dataclass(frozen=True)
class _Slow:
    """What changes seldom, of one broker."""

    brackets: _Kept[list[Bracket]]
    fees: _Kept[FeeRates]


@cache
def _kept(broker: Broker) -> _Slow:
    return _Slow(_Kept(broker.brackets, BRACKETS_KEPT_S), _Kept(broker.fee_rates, FEES_KEPT_S))
