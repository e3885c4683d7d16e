"""What is compared beside orders and positions: the money, the clock, the position mode."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog

from apps.db.bookkeeping import bookkeeping
from apps.engine.follow.excursion import excursion, holding_span
from apps.engine.ports import Broker, BrokerRejected
from apps.engine.values.position import PositionMode
from apps.engine.values.timeframe import Timeframe
from apps.market import store as market
from apps.orders import store as orders

log = structlog.get_logger("positions")

LARGEST_DRIFT_MS = 3000
LEDGER_OVERLAP = timedelta(minutes=10)
"""Lines may be written late under an earlier time: each is stored once, so reading them again is harmless."""
FIRST_LEDGER = timedelta(days=7)
LATE_TRADES = timedelta(hours=1)
"""Trades that the exchange has not shown an hour later are not waited for."""
REVIEW_TTL = timedelta(minutes=15)
RESULTS_RETRIED_FOR = timedelta(days=1)
"""Results of closed positions that could not be written when they closed are written again so long."""
CANDLES_WAITED_FOR = timedelta(days=2)
"""Candles that are not stored so long after the close are not waited for: the excursion stays unknown."""


def save_money(broker: Broker, account: str, now: datetime, again_since: datetime | None) -> datetime | None:
    """Store the exchange's ledger since the newest line we have, and a point of equity.

    Lines since `again_since` are read again, for a week at most. Return the time of the oldest line that
    could not be stored now, for the next call.
    """
    newest = None
    with bookkeeping("newest_transaction") as attempt:
        newest = orders.newest_transaction_at(account)
    if attempt.fault is None:
        since = now - FIRST_LEDGER
        if newest is not None:
            since = max(since, min(newest - LEDGER_OVERLAP, again_since or newest))
        unstored = orders.save_transactions(account, broker.transactions(since))
        again_since = min((line.at for line in unstored), default=None)
    equity = broker.account()
    with bookkeeping("equity_point", worth=equity):
        orders.save_equity(account, equity, now)
    return again_since


def sync_venue_health(broker: Broker, wanted: PositionMode) -> dict[str, Any]:
    """Set the position mode; return the state's columns: why nothing may be opened, by mode or by clock.

    The exchange refuses to change the mode while anything is open.
    """
    drift_ms = broker.server_offset_ms()
    mode = broker.position_mode()
    if mode != wanted:
        try:
            broker.set_position_mode(wanted)
        except BrokerRejected as refusal:
            log.warning("position_mode_refused", wanted=wanted, error=str(refusal))
        mode = broker.position_mode()
    faults = []
    if abs(drift_ms) > LARGEST_DRIFT_MS:
        faults.append(f"the clocks differ by {drift_ms / 1000:.1f} s")
    if mode != wanted:
        faults.append(f"the position mode is {mode}; {wanted} can be set when nothing is open")
    if faults:
        log.error("venue_unhealthy", faults=faults)
    return {"drift_ms": drift_ms, "position_mode": mode.value, "unhealthy": "; ".join(faults)}


def symbols_with_late_trades(account: str, now: datetime) -> list[str]:
    """Return the symbols of positions that just ended and whose trades do not add up yet."""
    with bookkeeping("late_trades"):
        return orders.symbols_missing_fills(account, closed_since=now - LATE_TRADES)
    return []


def save_excursions(account: str, now: datetime) -> int:
    """Write the MFE and MAE of closed positions whose minutes are all stored; return how many."""
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
