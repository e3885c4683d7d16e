"""What the market was: the contract, its candles and their indicators."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from apps.engine.values.timeframe import Timeframe
from apps.insight.export.rows import exact, moment, row
from apps.live.windows import Warm
from apps.market.models import Contract, Kline
from apps.signals.models import IndicatorSnapshot


def contract(symbol: str) -> dict[str, Any]:
    """As last listed: the table keeps no older state."""
    return row(Contract.objects.get(symbol=symbol), without=["id"])


def candles(symbol: str, start: datetime, end: datetime) -> dict[str, list[dict[str, Any]]]:
    """Timeframe → its candles from the one that was judged at `start` to those open before `end`, rising."""
    return {
        str(timeframe): [
            _candle(one)
            for one in Kline.objects.filter(
                symbol=symbol,
                timeframe=timeframe,
                open_time__gte=timeframe.newest_open(start),
                open_time__lt=end,
            ).order_by("open_time")
        ]
        for timeframe in Timeframe
    }


def indicators(symbol: str, minute: datetime) -> dict[str, dict[str, Any]]:
    """Timeframe → every column at its newest candle closed at `minute`, recomputed; null where unknown."""
    warm = Warm((symbol,), [])
    warm.refresh(minute)
    return {
        str(timeframe): {
            "open_time": moment(warm.until(timeframe) - timeframe.duration),
            "values": {name: _known(float(column[0, -1])) for name, column in frame.columns.items()},
        }
        for timeframe, frame in warm.frames().frames.items()
    }


def snapshots(symbol: str, start: datetime, end: datetime) -> dict[str, list[dict[str, Any]]]:
    """Timeframe → the indicators of these candles as live runs stored them, 7 significant digits."""
    return {
        str(timeframe): [
            _snapshot(one)
            for one in IndicatorSnapshot.objects.filter(
                symbol=symbol,
                timeframe=timeframe,
                kline_time__gte=timeframe.newest_open(start),
                kline_time__lt=end,
            ).order_by("kline_time")
        ]
        for timeframe in Timeframe
    }


def _snapshot(one: IndicatorSnapshot) -> dict[str, Any]:
    return {
        "open_time": moment(one.kline_time),
        "values": one.values,
        "inserted_at": moment(one.inserted_at),
    }


def _candle(one: Kline) -> dict[str, Any]:
    return {
        "open_time": moment(one.open_time),
        "open": exact(one.open_price),
        "high": exact(one.high_price),
        "low": exact(one.low_price),
        "close": exact(one.close_price),
        "volume": exact(one.volume),
        "source": str(one.source),
        "inserted_at": moment(one.inserted_at),
        "updated_at": moment(one.updated_at),
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
