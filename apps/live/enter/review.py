"""Plans that people approved: entered on current data. What nobody answers is ended by watching."""

from __future__ import annotations

from apps.exchange import venue
from apps.live.enter.context import Clock
from apps.live.enter.symbol_entry import enter_approved_plan
from apps.orders import store as orders


def enter_approved_plans(*, clock: Clock) -> None:
    """Enter every plan that was approved and not claimed since, oldest first.

    A fault of one is raised when all were tried.
    """
    faults: list[Exception] = []
    for approved in orders.approved_plans(venue.account()):
        try:
            enter_approved_plan(approved, clock=clock)
        except Exception as fault:  # it comes up again each time: it must not keep the others from being sent
            faults.append(fault)
    if faults:
        raise faults[0]
