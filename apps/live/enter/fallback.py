"""Entries that were taken back at the end of their time: what they left unfilled is sent anew."""

from __future__ import annotations

from dataclasses import replace

import structlog

from apps.engine.cycle import SendResult, fall_back
from apps.engine.cycle.view import BROKER_FAULTS
from apps.engine.enter import guards
from apps.engine.ports.clock import Clock
from apps.engine.values.reason import Reason, Refusal
from apps.exchange import venue
from apps.live.enter.context import UnknownProfile, account_ledger
from apps.live.enter.faults import fault_stored
from apps.live.enter.observation import read_observation, read_quote
from apps.live.ledger import off_switches
from apps.live.minute import closed_minute
from apps.orders import store as orders
from apps.profiles import store as profiles

log = structlog.get_logger("order_journey")


def enter_waiting_rests(*, clock: Clock) -> None:
    """Send every rest that waits, the most urgent first; a fault of one is raised when all were tried.

    What cannot be confirmed yet waits for the next time, until its order's time is over: `watch` ends it.
    """
    faults: list[Exception] = []
    for rest in orders.waiting_rests(venue.account(), clock()):
        try:
            enter_waiting_rest(rest, clock=clock)
        except Exception as fault:  # it comes up again each time: it must not keep the others from being sent
            faults.append(fault)
    if faults:
        raise faults[0]


def enter_waiting_rest(rest: orders.WaitingRest, *, clock: Clock) -> SendResult | Refusal:
    """Confirm, plan, claim and send one rest; at most once, whoever else tries at this moment."""
    order, plan, broker = rest.order, rest.plan, venue.current().broker
    outcome: SendResult | Refusal
    with (
        structlog.contextvars.bound_contextvars(run_id=str(rest.run_id), symbol=order.symbol),
        fault_stored(rest.run_id, order.symbol, clock),
    ):
        profile = profiles.find_version(plan.digest)
        if profile is None or profile.entry is None:
            raise UnknownProfile(
                f"{order.symbol}: no profile of digest {plan.digest[:12]} was ever remembered"
            )
        entry = profile.entry
        try:
            outcome = fall_back(
                order,
                plan,
                entry,
                read_market=lambda: replace(
                    read_observation(order.symbol, entry, plan.timeframe, closed_minute(clock()), broker),
                    quote=read_quote(order.symbol, broker),
                ),
                broker=broker,
                ledger=account_ledger(rest.run_id),
                last_check=lambda plan: guards.send_refusal(plan, off_switches(), clock()),
                clock=clock,
            )
        except BROKER_FAULTS as fault:  # of a read: nothing was claimed
            outcome = Refusal(Reason.FALLBACK_NOT_CONFIRMED, {"because": str(fault)})
        if isinstance(outcome, Refusal):
            log.info("fallback_refused", reason=outcome.reason.value, numbers=dict(outcome.numbers))
        else:
            log.info("fallback_sent", decision_key=plan.decision_key, status=outcome.order.status.value)
    return outcome
