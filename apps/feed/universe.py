"""Which contracts are watched."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from apps.engine.values.contract import require_listed
from apps.market.models import Contract

QUOTE = "USDT"
MIN_TURNOVER_24H = Decimal(1_500_000)
MIN_LISTED = timedelta(hours=1_000)
DELISTING_SOON = timedelta(days=7)


def select_symbols(contracts: Iterable[Contract], explicit: Iterable[str], now: datetime) -> list[str]:
    """Symbols to watch, sorted: the explicit ones as they are, else all that pass the filters.

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
