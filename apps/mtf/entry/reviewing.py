"""Plans that people approved: entered on current data. What nobody answers is ended by watching."""

from __future__ import annotations

from apps.exchange import venue
from apps.mtf.entry.entering import enter_approved
from apps.mtf.entry.entry import Clock
from apps.orders import store as orders


def enter_what_is_approved(*, clock: Clock) -> None:
    """Enter every plan that was approved and not claimed since, oldest first."""
    for approved in orders.approved(venue.account()):
        enter_approved(approved, clock=clock)
