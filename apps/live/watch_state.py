"""Whether the account may open anything: what `watch` left behind, judged at a moment."""

from __future__ import annotations

from datetime import datetime, timedelta

from apps.live.ledger import AccountHealth
from apps.live.models import WatchState

READ_AGE = timedelta(seconds=20)
"""Nobody who looked at the exchange longer ago protects a position opened now."""
SILENT = timedelta(seconds=20)
"""Private pushes that were away longer may have hidden what the books do not know."""


def account_health(account: str, now: datetime) -> AccountHealth:
    """Not reconciled: before the first comparison, after a gap, and when nobody watches."""
    state = WatchState.objects.filter(account=account).first()
    if state is None:
        return AccountHealth(reconciled=False)
    return AccountHealth(reconciled=not _doubt(state, now), unhealthy=state.unhealthy)


def _doubt(state: WatchState, now: datetime) -> bool:
    if state.reconciled_at is None or state.read_at is None or state.heard_at is None:
        return True
    return now - state.read_at > READ_AGE or now - state.heard_at > SILENT
