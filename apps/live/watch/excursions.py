"""How far the market went for and against what is closed now, once its last minute is stored."""

from __future__ import annotations

from datetime import datetime, timedelta

from apps.db.bookkeeping import bookkeeping
from apps.engine.follow.excursion import excursion, holding_span
from apps.engine.values.timeframe import Timeframe
from apps.market import store as market
from apps.orders import store as orders

CANDLES_WAITED_FOR = timedelta(days=2)
"""Candles that are not stored so long after the close are not waited for: the excursion stays unknown."""


def save_excursions(account: str, now: datetime) -> int:
    """Write the MFE and MAE of closed positions whose minutes are all stored; how many were written."""
    written, unmeasured = 0, list[orders.ClosedPosition]()
    with bookkeeping("excursions"):
        unmeasured = orders.positions_without_excursion(account, closed_since=now - CANDLES_WAITED_FOR)
    for held in unmeasured:
        numbers = {"entry": held.entry, "stop": held.stop, "position": held.position_id}
        with bookkeeping("excursion", symbol=held.symbol, **numbers) as attempt:
            candles = market.candles(held.symbol, Timeframe.M1, *holding_span(held.began, held.ended))
            value = excursion(candles, held.side, held.entry, held.stop, began=held.began, ended=held.ended)
            if value is not None:
                orders.save_excursion(held.position_id, value)
                written += 1
        if attempt.busy:
            break
    return written
