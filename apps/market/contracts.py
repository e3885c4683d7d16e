"""The venue's contracts, as last listed, and the venue this database belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields
from datetime import datetime

from django.db import transaction

from apps.db.upsert import Upsert
from apps.engine.values import contract as values
from apps.engine.values.errors import TradingError
from apps.market.models import Contract, VenueStamp

DELISTED = "Delisted"

_COLUMNS = tuple(field.name for field in fields(values.Contract))
_CONTRACTS = Upsert(
    table="contracts",
    columns=(*_COLUMNS, "synced_at"),
    keys=("symbol",),
)


class VenueMismatch(TradingError):
    """The database holds another venue's market; not retryable: give this venue its own database."""


def save_contracts(contracts: Sequence[values.Contract], synced_at: datetime) -> int:
    """Store the venue's whole list; stored contracts that are not in it become "Delisted". The rows written.

    ValueError for an empty list: no venue lists nothing, and believing it would stop every symbol.
    """
    if not contracts:
        raise ValueError("the venue listed no contract at all; nothing was stored")
    with transaction.atomic():
        written = _CONTRACTS.write((*astuple(contract), synced_at) for contract in contracts)
        gone = Contract.objects.exclude(symbol__in=[contract.symbol for contract in contracts])
        return written + gone.exclude(status=DELISTED).update(status=DELISTED)


def contracts() -> list[Contract]:
    """Every stored contract, by symbol."""
    return list(Contract.objects.order_by("symbol"))


def find_contract(symbol: str) -> values.Contract | None:
    """The contract as last listed; None for one that never was."""
    row = Contract.objects.filter(symbol=symbol).values(*_COLUMNS).first()
    return None if row is None else values.Contract(**row)


def stamp_venue(venue: str) -> None:
    """Claim the database for `venue` at the first start; VenueMismatch when it belongs to another."""
    stamp, _ = VenueStamp.objects.get_or_create(id=1, defaults={"venue": venue})
    if stamp.venue != venue:
        raise VenueMismatch(
            f"this database holds the market of {stamp.venue!r} (since {stamp.stamped_at:%Y-%m-%d}) "
            f"and VENUE is {venue!r}: give {venue!r} its own database, or set VENUE={stamp.venue}"
        )
