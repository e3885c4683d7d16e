"""The rest of an entry that was taken back at the end of its time, sent as a new attempt of its decision."""

from __future__ import annotations

from collections.abc import Callable

from apps.engine import events
from apps.engine.cycle.entry import LastCheck, SendResult, send
from apps.engine.enter.fallback import rest_plan
from apps.engine.enter.observation import Observation
from apps.engine.follow.fallback import refused_fallback
from apps.engine.follow.reconcile import OWN_ID_PREFIX
from apps.engine.ports.account import Broker, RestLedger
from apps.engine.ports.clock import Clock
from apps.engine.profile import EntrySettings
from apps.engine.values.book import TrackedOrder
from apps.engine.values.plan import OrderPlan
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.tick import plain

PASSING = frozenset({Reason.NOT_RECONCILED, Reason.VENUE_UNHEALTHY, Reason.QUOTE_STALE})
"""What may be over a second later: a process that has just started again, a late quote."""


def fall_back(
    order: TrackedOrder,
    plan: OrderPlan,
    entry: EntrySettings,
    *,
    read_market: Callable[[], Observation],
    broker: Broker,
    ledger: RestLedger,
    last_check: LastCheck,
    clock: Clock,
) -> SendResult | Refusal:
    """Confirm that `order` of `plan` is over and what it filled; plan, claim and send what it left.

    FALLBACK_NOT_CONFIRMED, what is PASSING and DUPLICATE_DECISION leave everything as it is: it may be tried
    again, or was done by somebody else. Every other refusal is recorded, and final. Raises what reading the
    exchange raises, before anything happened.
    """
    doubt = _doubt(order, broker)
    if doubt:
        return Refusal(Reason.FALLBACK_NOT_CONFIRMED, {"because": doubt})
    observation, now = read_market(), clock()
    rest = rest_plan(plan, order, observation, entry, now)
    claimed = rest if isinstance(rest, Refusal) else ledger.claim_rest(rest, now)
    if isinstance(claimed, Refusal):
        if claimed.reason not in PASSING | {Reason.DUPLICATE_DECISION}:
            why = ", ".join(f"{name} {value}" for name, value in claimed.numbers.items())
            ledger.record([refused_fallback(order, claimed.reason, why, now)])
        return claimed
    assert not isinstance(rest, Refusal)
    attempt = TrackedOrder.of(rest.plan, order.attempt + 1)
    detail = (
        f"fallback: the rest {plain(attempt.size)} of {plain(order.size)} at {plain(attempt.price)} at "
        f"worst, {plain(order.filled)} filled before, at risk in all {rest.total.risk:.4f} of at most "
        f"{rest.total.risk_budget:.4f}"
    )
    submitted = events.OrderSubmitted(symbol=attempt.symbol, at=now, order=attempt, detail=detail)
    ledger.record([submitted])
    return send(
        rest.plan,
        broker=broker,
        ledger=ledger,
        last_check=last_check,
        leverage_set=claimed.leverage == rest.plan.leverage,
        clock=clock,
        first_attempt=attempt.attempt,
    )


def _doubt(order: TrackedOrder, broker: Broker) -> str:
    """Return what of the exchange does not confirm that `order` is over as our books know it; "" for nothing.

    What it filled must be held, no more and no less, and nothing of ours may rest beside it.
    """
    report = broker.order(order.symbol, order.client_order_id)
    if report is None:
        return "the exchange does not show the order"
    if report.open or report.filled != order.filled:
        still = "open" if report.open else "over"
        return f"the order is {still} and filled {plain(report.filled)}, in our books {plain(order.filled)}"
    resting = [each.client_order_id for each in broker.orders(order.symbol) if each.opens]
    ours = [client_id for client_id in resting if client_id.startswith(OWN_ID_PREFIX)]
    if ours:
        return f"an opening order of ours rests: {', '.join(ours)}"
    held = {each.side: each.size for each in broker.positions(order.symbol)}
    if held != ({order.side: order.filled} if order.filled else {}):
        shown = ", ".join(f"{side} {plain(size)}" for side, size in held.items()) or "nothing"
        return f"held is {shown}, filled {plain(order.filled)}"
    return ""
