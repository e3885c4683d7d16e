"""The blacklist: contracts that are in no profile's universe for a while, as after faults in a row.

A trigger of the audit room records every change of an entry.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction

from apps.engine.universe import Blacklisting
from apps.engine.values.errors import TradingError
from apps.market.models import Contract, ContractFault

MOST_FAULTS = 5
WITHIN = timedelta(hours=1)
PAUSE = timedelta(hours=4)
"""So many faults of one kind in a row, within that time, blacklist a contract for so long."""
SYSTEM = "system"


class FaultKind(StrEnum):
    """Where a contract failed; a success there ends the row of its faults."""

    JUDGE = "judge"
    ENTRY = "entry"


class ReasonMissing(TradingError):
    """A change of the blacklist without a reason or an author; not retryable."""


def standing(now: datetime) -> dict[str, Blacklisting]:
    """Return symbol → its entry, of those that are blacklisted at `now`."""
    rows = Contract.objects.filter(blacklisted_until__gt=now)
    return {
        symbol: Blacklisting(until, reason)
        for symbol, until, reason in rows.values_list("symbol", "blacklisted_until", "blacklist_reason")
        if until is not None
    }


def set_entry(symbols: Collection[str], *, until: datetime | None, reason: str, actor: str) -> int:
    """Blacklist `symbols` until then, or with None lift it; return how many contracts that changed.

    Lifting also forgets their faults. Raises ReasonMissing.
    """
    if not reason.strip() or not actor.strip():
        raise ReasonMissing(f"blacklist {', '.join(symbols)}: a change needs a reason and an author")
    contracts = Contract.objects.filter(symbol__in=symbols)
    if until is None:
        contracts = contracts.exclude(blacklisted_until=None)
        ContractFault.objects.filter(symbol__in=symbols).delete()
    return contracts.update(blacklisted_until=until, blacklist_reason=reason.strip(), blacklisted_by=actor)


@transaction.atomic
def count_fault(symbol: str, kind: FaultKind, detail: str, now: datetime) -> datetime | None:
    """Count a fault of `symbol`; blacklist it, and return until when, at the last that it may have in a row.

    Only faults that are the symbol's own belong here: an exchange or a broker that is away fails them all.
    """
    Contract.objects.select_for_update().filter(symbol=symbol).first()  # two faults at once count as two
    faults = ContractFault.objects.filter(symbol=symbol, kind=kind)
    faults.filter(happened_at__lte=now - WITHIN).delete()
    ContractFault.objects.create(symbol=symbol, kind=kind, detail=detail, happened_at=now)
    if faults.count() < MOST_FAULTS:
        return None
    faults.delete()
    until = now + PAUSE
    reason = f"{MOST_FAULTS} {kind} faults in a row, the last: {detail}"
    return until if set_entry([symbol], until=until, reason=reason, actor=SYSTEM) else None


def forget_faults(kind: FaultKind, *, symbols: Collection[str]) -> None:
    """End the row of faults of these `symbols`: they succeeded."""
    ContractFault.objects.filter(kind=kind, symbol__in=symbols).delete()


def faulty_symbols(kind: FaultKind) -> set[str]:
    """Return the symbols with faults of this kind since their last success."""
    return set(ContractFault.objects.filter(kind=kind).values_list("symbol", flat=True))
