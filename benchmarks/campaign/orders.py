"""Rules 1, 3 and 4: what we sent, when a switch stood against it, and what of it was left in the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from benchmarks.campaign.history import (
    OPENING_SIDES,
    OVER,
    History,
    OurBooks,
    Row,
    SwitchOff,
    Violation,
    clock,
    is_own_id,
    is_own_plan,
    own_order_ids,
)

SWITCH_AFTER_S = 1.0
NEVER_SENT = ("NEVER_ARRIVED", "DENIED")


def decision_violations(history: History, ours: OurBooks) -> Iterator[Violation]:
    """Rule 1: an opening order of ours belongs to a decision in our books, is the only one of its tranche
    that may fill, and all of a decision together open no more than was planned."""
    booked = {row["client_order_id"]: row for row in ours.orders}
    by_tranche: dict[tuple[str, int], list[Row]] = defaultdict(list)
    by_decision: dict[str, list[Row]] = defaultdict(list)
    for order in _opening(history):
        row, last = booked.get(order["client_order_id"]), history.before(_accepted_at(order, history))
        if row is None:
            yield Violation(1, f"{_words(order, history)}: our books do not know it; {last}")
            continue
        if row["status"] in NEVER_SENT:
            yield Violation(1, f"{_words(order, history)}: our books say it is {row['status']}; {last}")
        decision = row["decision_key"] or order["client_order_id"]
        by_tranche[decision, row["tranche"]].append(order)
        by_decision[decision].append(order)
    for (decision, tranche), orders in by_tranche.items():
        attempts = sorted(orders, key=lambda order: order["created_ms"])
        for earlier, later in pairwise(attempts):
            if earlier["state"] != OVER or earlier["updated_ms"] > later["created_ms"]:
                words = f"{_words(earlier, history)} and {_words(later, history)}"
                last = history.before(_accepted_at(later, history))
                yield Violation(1, f"{decision}, tranche {tranche}, has two orders at once: {words}; {last}")
    for decision, orders in by_decision.items():
        planned = booked[orders[0]["client_order_id"]]["planned"]
        filled = sum(Decimal(order["filled"]) for order in orders)
        if planned is not None and filled > planned:
            words = ", ".join(_words(order, history) for order in orders)
            last = history.before(_accepted_at(orders[-1], history))
            yield Violation(1, f"{decision} planned {planned} and filled {filled}: {words}; {last}")


def switch_violations(history: History) -> Iterator[Violation]:
    """Rule 3: no opening order of ours was accepted more than 1 s after a kill switch was committed."""
    for order in _opening(history):
        at = _accepted_at(order, history)
        for switch in history.switches:
            if _covers(switch, order) and switch.set_at + SWITCH_AFTER_S < at < switch.cleared_at:
                late_s = at - switch.set_at
                yield Violation(
                    3,
                    f"{_words(order, history)} was accepted {late_s:.1f} s after {switch.key} was off "
                    f"({clock(switch.set_at)}); {history.before(at)}",
                )


def leftovers(history: History, ours: OurBooks) -> Iterator[Violation]:
    """Rule 4: in the end nothing of ours rests where nothing is held, and every symbol is free."""
    books = history.final
    held = {(row["symbol"], row["position_type"]) for row in books["positions"]}
    orders = own_order_ids(books)
    for plan in books["protections"]:
        closes = 1 if plan["side"] == 3 else 2
        if is_own_plan(plan, orders) and (plan["symbol"], closes) not in held:
            at = plan["created_ms"] / 1000
            words = f"{plan['symbol']}: {plan['kind']} {plan['order_id']} of {plan['size'] or 'all'}"
            since = f"placed {clock(at)}, protects no position when all is over"
            yield Violation(4, f"{words}, {since}; {history.before(at)}")
    for order in _opening(history):
        if order["state"] != OVER:
            last = history.before(_accepted_at(order, history))
            yield Violation(4, f"{_words(order, history)} still rests when all is over; {last}")
    for lock in ours.locks:
        at = lock["locked_at"].timestamp()
        words = f"{lock['symbol']} is still locked by {lock['decision_key']} since {clock(at)}"
        yield Violation(4, f"{words} when all is over; {history.before(at)}")
    for sentence in history.unsettled:
        yield Violation(4, sentence)


def _opening(history: History) -> Sequence[Row]:
    return [
        order
        for order in history.final["orders"]
        if order["side"] in OPENING_SIDES and is_own_id(order["client_order_id"])
    ]


def _covers(switch: SwitchOff, order: Row) -> bool:
    return switch.key in ("GLOBAL", f"SYMBOL:{order['symbol']}")


def _accepted_at(order: Row, history: History) -> float:
    """Return when it was accepted by our clock: as the exchange says, less what its clock was set ahead.

    Never later than it was first seen there, so that a skew that just changed accuses nobody.
    """
    stamped = float(order["created_ms"]) / 1000
    seen = history.sightings.get(order["order_id"])
    return stamped if seen is None else min(stamped - seen.skew_s, seen.at)


def _words(order: Row, history: History) -> str:
    at = clock(_accepted_at(order, history))
    return f"{order['symbol']} {order['client_order_id']} of {order['size']} ({at})"
