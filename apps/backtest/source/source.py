"""What a backtest needs of candles, wherever they come from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from apps.backtest.source.asked import Asked
from apps.engine.frame import Windows
from apps.engine.values.timeframe import Timeframe
from apps.exchange.simulator.market.archive import Archive


class Source(Protocol):
    """`archive` lists the symbols asked for, in their order, with exact 1m candles over the whole range."""

    @property
    def asked(self) -> Asked: ...

    @property
    def archive(self) -> Archive: ...

    def stretch(self, symbol: str, timeframes: Iterable[Timeframe]) -> dict[Timeframe, Windows]:
        """Float64 candles (5, 1, N) of the range and its warm-up, each timeframe on its own axis."""
