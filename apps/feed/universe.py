"""The contracts of the venue, brought into the market room, and those that are watched."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings

from apps.engine.ports import CandleHistory
from apps.engine.values.contract import require_listed
from apps.market import store
from apps.market.models import Contract
from apps.orders import store as orders


def sync_contracts(history: CandleHistory, now: datetime) -> int:
    """Fetch and store every contract; return how many there are."""
    contracts = history.contracts()
    store.save_contracts(contracts, now)
    return len(contracts)


def streamed_symbols(account: str, now: datetime) -> list[str]:
    """Return the symbols whose candles are kept: those that are watched, and what the books still hold.

    A contract that is delisted or left the universe is judged no more; its candles are stored to the end.
    """
    return sorted({*watched_symbols(now), *orders.active_symbols(account)})


def watched_symbols(now: datetime) -> list[str]:
    """Return the symbols this deployment watches, by the stored contracts and MTF_SYMBOLS_TO_WATCH."""
    return select_symbols(store.contracts(), settings.MTF_SYMBOLS_TO_WATCH, now)


QUOTE = "USDT"
MIN_TURNOVER_24H = Decimal(1_500_000)
MIN_LISTED = timedelta(hours=1_000)
DELISTING_SOON = timedelta(days=7)


def select_symbols(contracts: Iterable[Contract], explicit: Iterable[str], now: datetime) -> list[str]:
    """Return the symbols to watch, sorted: the explicit ones as they are, else all that pass the filters.

    Raises UnknownSymbol naming every explicit symbol that is not listed.
    """
    listed = {c.symbol: c for c in contracts}
    wanted = list(explicit)
    require_listed(wanted, listed, "are listed at this venue; MTF_SYMBOLS_TO_WATCH names what is watched")
    return sorted(wanted or (s for s, c in listed.items() if is_eligible(c, now)))


def is_eligible(contract: Contract, now: datetime) -> bool:
    """Whether a contract belongs to the universe at `now`."""
    return (
        contract.status == "Trading"
        and contract.quote == QUOTE
        and contract.expires_at is None
        and contract.turnover_24h >= MIN_TURNOVER_24H
        and (contract.listed_at is None or now - contract.listed_at >= MIN_LISTED)
        and (contract.delist_at is None or contract.delist_at - now > DELISTING_SOON)
        and (contract.blacklisted_until is None or contract.blacklisted_until <= now)
    )
