"""How far the market went for and against what is closed now, once its last minute is stored."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import InterfaceError, OperationalError

from apps.engine.follow.excursion import excursion, holding_span
from apps.engine.values.timeframe import Timeframe
from apps.market import store as market
from apps.orders import store as orders

log = structlog.get_logger("positions")

CANDLES_WAITED_FOR = timedelta(days=2)
"""Candles that are not stored so long after the close are not waited for: the excursion stays unknown."""


def measure(account: str, now: datetime) -> int:
    """Write the MFE and MAE of closed positions whose minutes are all stored; how many were written."""
    return sum(_measured(held) for held in orders.unmeasured(account, closed_since=now - CANDLES_WAITED_FOR))


def _measured(held: orders.Held) -> bool:
    try:
        candles = market.candles(held.symbol, Timeframe.M1, *holding_span(held.began, held.ended))
        found = excursion(candles, held.side, held.entry, held.stop, began=held.began, ended=held.ended)
        if found is not None:
            orders.measured(held.position_id, found)
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # a figure for people must not end the watch, nor keep its books in doubt
        log.exception("excursion_failed", symbol=held.symbol, position=held.position_id)
        return False
    return found is not None
