"""How far the market went for and against a position while it was held: MFE and MAE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from apps.engine.values.candle import Candle
from apps.engine.values.position import Side
from apps.engine.values.timeframe import Timeframe

MINUTE = Timeframe.M1.duration


@dataclass(frozen=True, slots=True)
class Excursion:
    """`best` and `worst`: the prices farthest in favour of the position and against it, the entry among them.

    mfe and mae are their distances from the entry, ≥ 0: in percent of the entry, and in R, of which one is
    |entry − stop|, fees aside; None without a stop.
    """

    best: Decimal
    worst: Decimal
    mfe_pct: Decimal
    mae_pct: Decimal
    mfe_r: Decimal | None
    mae_r: Decimal | None


def holding_span(began: datetime, ended: datetime) -> tuple[datetime, datetime]:
    """Return the [start, end) of the minutes a position was held in, the first and the last whole."""
    start = Timeframe.M1.floor(began)
    last = Timeframe.M1.floor(ended - timedelta(microseconds=1))
    return start, max(start, last) + MINUTE


def excursion(
    candles: Sequence[Candle],
    side: Side,
    entry: Decimal,
    stop: Decimal | None,
    *,
    began: datetime,
    ended: datetime,
) -> Excursion | None:
    """Return it from rising 1m candles of its symbol; None unless each minute of its span is among them.

    `stop` is the first one, as planned. What happened in the minutes of entry and exit counts whole, also
    what came before the one and after the other: a candle does not say when.
    """
    start, end = holding_span(began, ended)
    held = [candle for candle in candles if start <= candle.open_time < end]
    if len(held) != (end - start) // MINUTE:
        return None
    highest = max(entry, *(candle.high for candle in held))
    lowest = min(entry, *(candle.low for candle in held))
    best, worst = (highest, lowest) if side is Side.LONG else (lowest, highest)
    risked = None if stop is None else abs(entry - stop)
    return Excursion(
        best=best,
        worst=worst,
        mfe_pct=abs(best - entry) / entry * 100,
        mae_pct=abs(worst - entry) / entry * 100,
        mfe_r=abs(best - entry) / risked if risked else None,
        mae_r=abs(worst - entry) / risked if risked else None,
    )
