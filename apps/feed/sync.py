"""Brings the venue's contracts into the market room, and says which symbols are watched."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from apps.engine.ports import CandleHistory
from apps.feed.universe import select_symbols
from apps.market import store
from apps.orders import store as orders


def sync_contracts(history: CandleHistory, now: datetime) -> int:
    """Fetch and store every contract; how many there are."""
    contracts = history.contracts()
    store.save_contracts(contracts, now)
    return len(contracts)


def streamed_symbols(account: str, now: datetime) -> list[str]:
    """The symbols whose candles are kept: those that are watched, and what the account's books still hold.

    A contract that is delisted or left the universe is judged no more; its candles are stored to the end.
    """
    return sorted({*watched_symbols(now), *orders.active_symbols(account)})


def watched_symbols(now: datetime) -> list[str]:
    """The symbols this deployment watches, by the stored contracts and MTF_SYMBOLS_TO_WATCH."""
    return select_symbols(store.contracts(), settings.MTF_SYMBOLS_TO_WATCH, now)
