"""What is compared beside orders and positions: the money, the clock, the position mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from apps.db.bookkeeping import bookkeeping
from apps.engine.cycle.view import BROKER_FAULTS
from apps.engine.follow.excursion import excursion, holding_span
from apps.engine.ports.account import Broker, BrokerRejected
from apps.engine.values.errors import TradingError
from apps.engine.values.position import Account, PositionMode, Transaction
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


@dataclass(frozen=True, slots=True)
class Reading:
    """What the exchange says beside orders and positions, read from `at` on.

    `health`: the state's columns. `transactions` None: not asked for, or not known by `fault`, as `worth` is.
    """

    at: datetime
    health: dict[str, Any]
    transactions: Sequence[Transaction] | None
    worth: Account | None
    fault: TradingError | None


def read(broker: Broker, wanted: PositionMode, since: datetime | None, now: datetime) -> Reading:
    """Set the position mode; read clock, mode, equity, and the ledger since then where that is known.

    Raises the broker's fault when its clock cannot be read; what was measured counts although the rest fails.
    """
    health, transactions, worth = sync_venue_health(broker, wanted), None, None
    try:
        transactions = None if since is None else broker.transactions(since)
        worth = broker.account()
    except BROKER_FAULTS as fault:
        return Reading(now, health, transactions, worth, fault)
    return Reading(now, health, transactions, worth, None)


def ledger_since(account: str, now: datetime, again_since: datetime | None) -> datetime | None:
    """Return from when on the exchange's ledger is read: since our newest line, and since `again_since`; for
    a week at most. None while our lines cannot be read."""
    with bookkeeping("newest_transaction"):
        newest = orders.newest_transaction_at(account)
        since = now - FIRST_LEDGER
        return since if newest is None else max(since, min(newest - LEDGER_OVERLAP, again_since or newest))
    return None


def save_money(reading: Reading, account: str, again_since: datetime | None) -> datetime | None:
    """Store the lines of the ledger and a point of equity.

    Return the time of the oldest line that could not be stored now, for the next call.
    """
    if reading.transactions is not None:
        unstored = orders.save_transactions(account, reading.transactions)
        again_since = min((line.at for line in unstored), default=None)
    if reading.worth is not None:
        with bookkeeping("equity_point", worth=reading.worth):
            orders.save_equity(account, reading.worth, reading.at)
    return again_since


def sync_venue_health(broker: Broker, wanted: PositionMode) -> dict[str, Any]:
    """Set the position mode; return the state's columns: why nothing may be opened, by clock or by mode.

    What was measured counts although the rest cannot be read. The exchange refuses to change the mode while
    anything is open. Raises the broker's fault when its clock cannot be read.
    """
    drift_ms = broker.server_offset_ms()
    columns: dict[str, Any] = {"drift_ms": drift_ms}
    faults = []
    if abs(drift_ms) > LARGEST_DRIFT_MS:
        faults.append(f"the clocks differ by {drift_ms / 1000:.1f} s")
    try:
        mode = broker.position_mode()
        if mode != wanted:
            try:
                broker.set_position_mode(wanted)
            except BrokerRejected as refusal:
                log.warning("position_mode_refused", wanted=wanted, error=str(refusal))
            mode = broker.position_mode()
    except BROKER_FAULTS as fault:
        faults.append(f"the position mode cannot be read: {fault}")
    else:
        columns["position_mode"] = mode.value
        if mode != wanted:
            faults.append(f"the position mode is {mode}; {wanted} can be set when nothing is open")
    if faults:
        log.error("venue_unhealthy", faults=faults)
    return columns | {"unhealthy": "; ".join(faults)}


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
