"""What the exchange tells of a symbol and seldom changes: read once, kept a while."""

from __future__ import annotations

import time
from threading import Lock
from typing import Generic, TypeVar

from apps.engine.ports import Broker
from apps.engine.values.position import Bracket, FeeRates

BRACKETS_KEPT_S = 3600.0
FEES_KEPT_S = 86_400.0
"""An account's rates change by the month."""

T = TypeVar("T")


class VenueCache:
    """Brackets and fee rates of one broker. Safe to share between threads; raises what the broker raises.

    Rates are read at most each `fee_reads_apart_s`, so that nobody waits for his turn.
    """

    def __init__(self, broker: Broker, fee_reads_apart_s: float) -> None:
        self._broker = broker
        self._fee_reads_apart_s = fee_reads_apart_s
        self._brackets: _Aging[list[Bracket]] = _Aging(BRACKETS_KEPT_S)
        self._fees: _Aging[FeeRates] = _Aging(FEES_KEPT_S)
        self._asked_at = float("-inf")
        self._asking = Lock()

    def brackets(self, symbol: str) -> list[Bracket]:
        found = self._brackets.get(symbol)
        return self._brackets.put(symbol, self._broker.brackets(symbol)) if found is None else found

    def fees(self, symbol: str) -> FeeRates:
        """The symbol's rates; until they can be asked for, the highest that the account has elsewhere."""
        with self._asking:
            own, others = self._fees.get(symbol), self._fees.all()
            if own is not None:
                return own
            if others and time.monotonic() - self._asked_at < self._fee_reads_apart_s:
                return max(others, key=lambda rates: rates.taker)
            self._asked_at = time.monotonic()
            return self._fees.put(symbol, self._broker.fee_rates(symbol))


class _Aging(Generic[T]):
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
