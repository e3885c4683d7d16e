"""Plans that people answered, or did not: entered on current data, or ended."""

from __future__ import annotations

from datetime import timedelta

from apps.exchange import venue
from apps.mtf.entering import Clock, enter_approved
from apps.orders import store as orders

REVIEW_TTL = timedelta(seconds=900)
"""A plan nobody answered for so long describes another market."""


def answered(*, clock: Clock) -> None:
    """Enter every approved plan, oldest first, and end those that waited too long."""
    account, now = venue.account(), clock()
    orders.expire(account, older_than=now - REVIEW_TTL, now=now)
    for approved in orders.approved(account):
        enter_approved(approved, clock=clock)
