"""What is compared beside orders and positions: the money, the clock, the position mode."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from apps.engine.ports import Broker, BrokerRejected
from apps.engine.values.position import PositionMode
from apps.live.watch import state
from apps.orders import store as orders

log = structlog.get_logger("positions")

LARGEST_DRIFT_MS = 3000
LEDGER_OVERLAP = timedelta(minutes=10)
"""Lines may be written late under an earlier time: each is stored once, so reading them again is harmless."""
FIRST_LEDGER = timedelta(days=7)
LATE_TRADES = timedelta(hours=1)
"""Trades that the exchange has not shown an hour later are not waited for."""
REVIEW_TTL = timedelta(minutes=15)


def take_over_money(broker: Broker, account: str, now: datetime) -> None:
    """The exchange's ledger since the newest line we have, and a point of equity."""
    newest = orders.newest_transaction_at(account)
    since = now - FIRST_LEDGER if newest is None else newest - LEDGER_OVERLAP
    orders.save_transactions(account, broker.transactions(since))
    orders.save_equity(account, broker.account(), now)


def check_venue(broker: Broker, account: str, wanted: PositionMode) -> None:
    """Note why nothing may be opened: a clock that drifts, a position mode that is not `wanted`.

    The mode is set here when nothing is open; the exchange refuses it otherwise.
    """
    drift_ms = broker.server_offset_ms()
    mode = _settled_mode(broker, wanted)
    faults = []
    if abs(drift_ms) > LARGEST_DRIFT_MS:
        faults.append(f"the clocks differ by {drift_ms / 1000:.1f} s")
    if mode != wanted:
        faults.append(f"the position mode is {mode}; {wanted} can be set when nothing is open")
    if faults:
        log.error("venue_unhealthy", faults=faults)
    state.note(account, drift_ms=drift_ms, position_mode=mode.value, unhealthy="; ".join(faults))


def with_late_trades(account: str, now: datetime) -> list[str]:
    """Symbols of positions that just ended and whose trades do not add up yet."""
    return orders.unsettled(account, closed_since=now - LATE_TRADES)


def end_unanswered_reviews(account: str, now: datetime) -> None:
    orders.expire(account, older_than=now - REVIEW_TTL, now=now)


def _settled_mode(broker: Broker, wanted: PositionMode) -> PositionMode:
    mode = broker.position_mode()
    if mode == wanted:
        return mode
    try:
        broker.set_position_mode(wanted)
    except BrokerRejected as refusal:
        log.warning("position_mode_refused", wanted=wanted, error=str(refusal))
    return broker.position_mode()
