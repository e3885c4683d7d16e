"""A written venue: streams that play a script against a clock moved by hand, and a history that answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from apps.engine.ports.market import CandlePage, FormingCandle, Gap
from apps.engine.values.candle import Candle, Source
from apps.engine.values.contract import Contract
from apps.engine.values.timeframe import Timeframe

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TICK_S = 0.05


@dataclass
class Clock:
    """Answers the same moment until it is moved; `asked` is how often."""

    at: datetime = NOON
    asked: int = 0

    def __call__(self) -> datetime:
        self.asked += 1
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def push(open_time: datetime, symbol: str = "AUSDT", close: str = "100", **changes: str) -> FormingCandle:
    """A push about the 1m candle that opens at `open_time`."""
    prices = {"open": "100", "high": "101", "low": "99", "close": close, "volume": "5"} | changes
    numbers = {name: Decimal(value) for name, value in prices.items()}
    return FormingCandle(symbol, Timeframe.M1, open_time, **numbers, received_at=open_time)


def candle(
    open_time: datetime,
    symbol: str = "AUSDT",
    close: str = "100",
    timeframe: Timeframe = Timeframe.M1,
    source: Source = Source.REST,
) -> Candle:
    price = Decimal(close)
    return Candle(symbol, timeframe, open_time, price, price + 1, price - 1, price, Decimal(5), source)


Step = FormingCandle | Gap | float | Callable[[], object]


class Script:
    """The port Streams: pushes values, waits numbers of seconds, calls what can be called; then it ends."""

    def __init__(self, clock: Clock, steps: Iterable[Step]) -> None:
        self._clock, self._steps = clock, tuple(steps)
        self.asked: tuple[str, ...] = ()

    def candles(self, symbols: Sequence[str], poll_s: float = 0.1) -> Iterator[FormingCandle | Gap | None]:
        self.asked = tuple(symbols)
        for step in self._steps:
            if isinstance(step, FormingCandle | Gap):
                yield step
            elif isinstance(step, int | float):
                for _ in range(round(step / TICK_S)):
                    self._clock.move(TICK_S)
                    yield None
            else:
                step()

    def close(self) -> None:
        """Nothing to end: the script ends by itself."""


Request = tuple[str, Timeframe, datetime, datetime]


@dataclass
class History:
    """The port CandleHistory over `candles_held`: `faults` come first, answers refuse `refused` rows."""

    candles_held: Sequence[Candle] = ()
    refused: int = 0
    faults: list[Exception] = field(default_factory=list)
    on_request: Callable[[Request], object] = lambda _: None
    asked: list[Request] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def server_offset_ms(self) -> float:
        return 0.0

    def contracts(self) -> list[Contract]:
        return []

    def candles(self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime) -> CandlePage:
        with self._lock:
            request = (symbol, timeframe, start, end)
            self.asked.append(request)
            self.on_request(request)
            if self.faults:
                raise self.faults.pop(0)
            answer = [
                c
                for c in self.candles_held
                if (c.symbol, c.timeframe) == (symbol, timeframe) and start <= c.open_time < end
            ]
            return CandlePage(sorted(answer, key=lambda c: c.open_time), self.refused)
