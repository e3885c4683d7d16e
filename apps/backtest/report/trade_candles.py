"""The candles around a trade, small enough to ship hundreds of times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from apps.backtest.outcome import Trade
from apps.engine.values.candle import Candle
from apps.engine.values.timeframe import Timeframe

BEFORE, AFTER = 45, 25
"""Candles shown before the decision and after the end."""
MOST = 240
"""Candles a chart still shows apart; longer trades are drawn on a slower timeframe."""
DRAWN = (Timeframe.M1, Timeframe.M5, Timeframe.M15, Timeframe.H1, Timeframe.H4, Timeframe.D1)


class PastCandles(Protocol):
    """Closed candles of a symbol with start <= open time < end, rising."""

    def __call__(
        self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime, /
    ) -> Sequence[Candle]: ...


def around(trade: Trade, candles: PastCandles, *, since: datetime, until: datetime) -> dict[str, Any]:
    """Return the packed candles around `trade`, none that opens before `since` or closes after `until`."""
    timeframe = drawn_on(trade)
    start = max(_floored(trade.plan.created_at, timeframe) - BEFORE * timeframe.duration, since)
    end = min(_floored(trade.closed_at, timeframe) + (AFTER + 1) * timeframe.duration, until)
    return packed(candles(trade.symbol, timeframe, start, end), timeframe)


def drawn_on(trade: Trade) -> Timeframe:
    """Return the finest timeframe that shows the trade with its surroundings in at most MOST candles."""
    lasted = trade.closed_at - trade.plan.created_at
    fitting = (each for each in DRAWN if lasted / each.duration + BEFORE + AFTER <= MOST)
    return next(fitting, DRAWN[-1])


def packed(candles: Sequence[Candle], timeframe: Timeframe) -> dict[str, Any]:
    """`step_s`, `first_s` (open time since 1970), `decimals` of a price, and five whole numbers a candle.

    They are: candles since the one before (0 for the first), open - close before, close - open, high above
    the body, low below it; prices in units of the last decimal.
    """
    prices = [price for each in candles for price in (each.open, each.high, each.low, each.close)]
    digits = decimals(*prices)
    numbers: list[int] = []
    before_s, before = _second(candles[0]) if candles else 0, 0
    for each in candles:
        opened, high, low, close = (
            int(price.scaleb(digits)) for price in (each.open, each.high, each.low, each.close)
        )
        skipped = (_second(each) - before_s) // timeframe.seconds
        numbers += [
            *(skipped, opened - before, close - opened),
            *(high - max(opened, close), min(opened, close) - low),
        ]
        before_s, before = _second(each), close
    return {
        "step_s": timeframe.seconds,
        "first_s": _second(candles[0]) if candles else 0,
        "decimals": digits,
        "numbers": numbers,
    }


def decimals(*prices: Decimal) -> int:
    """Return the most digits after the point that one of them has; 0 of none."""
    exponents = [price.normalize().as_tuple().exponent for price in prices]
    return max([0, *(-exponent for exponent in exponents if isinstance(exponent, int))])


def _second(candle: Candle) -> int:
    return int(candle.open_time.timestamp())


def _floored(moment: datetime, timeframe: Timeframe) -> datetime:
    second = int(moment.timestamp())
    return datetime.fromtimestamp(second - second % timeframe.seconds, UTC)
