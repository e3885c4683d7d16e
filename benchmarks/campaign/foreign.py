"""Rule 5: what a person opened, ordered and protected by hand is nobody else's.

An order that the exchange's own dead man's switch took counts when `watch` had longer to disarm the switch
than it may leave a position naked: what is armed for an entry of ours ends every order of the contract while
nobody is there, and that is what it is armed for. What excuses seconds is said in unprotected.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.campaign.history import (
    OPENING_SIDES,
    OVER,
    History,
    Holding,
    Row,
    Violation,
    clock,
    holdings,
    is_own_id,
    is_own_plan,
    own_order_ids,
    side_word,
)
from benchmarks.campaign.unprotected import LONGEST_S, counted_s

GTC = 1


def violations(history: History) -> Iterator[Violation]:
    """Everything of ours that touched what is theirs, and what of theirs ended without them."""
    theirs = [each for each in holdings(history.final) if not each.is_ours]
    yield from _closed_by_us(history, theirs)
    yield from _protected_by_us(history, theirs)
    yield from _cancelled(history)
    yield from _lost_stops(history)


def _closed_by_us(history: History, theirs: list[Holding]) -> Iterator[Violation]:
    """A fill in their position that was not by hand: of an order of ours, or of a stop or target of ours."""
    own_orders = own_order_ids(history.final)
    own_plans = {
        f"PLAN_{plan['order_id']}" for plan in history.final["plans"] if is_own_plan(plan, own_orders)
    }
    for held in theirs:
        for fill in held.fills:
            client_id = fill["client_order_id"]
            if is_own_id(client_id) or client_id in own_plans:
                verb = "grew" if fill["side"] in OPENING_SIDES else "shrank"
                at = fill["at_ms"] / 1000
                yield Violation(
                    5,
                    f"{_words(held)}: {verb} by {fill['contracts']} at {clock(at)} through {client_id} of "
                    f"ours; {history.before(at)}",
                )


def _protected_by_us(history: History, theirs: list[Holding]) -> Iterator[Violation]:
    """A stop or target of ours on the closing side of a position that was theirs at that moment."""
    keys = {(held.symbol, held.position_type, held.began_ms): held for held in theirs}
    own_orders, told = own_order_ids(history.final), set[int]()
    for moment in history.moments:
        for position in moment.positions:
            held = keys.get((position["symbol"], position["position_type"], position["opened_ms"]))
            if held is None:
                continue
            for plan in moment.protections:
                closes = 1 if plan["side"] == 3 else 2
                is_there = (plan["symbol"], closes) == (held.symbol, held.position_type)
                if is_there and is_own_plan(plan, own_orders) and plan["order_id"] not in told:
                    told.add(plan["order_id"])
                    yield Violation(
                        5,
                        f"{_words(held)} got a {plan['kind']} of ours ({plan['order_id']}) by "
                        f"{clock(moment.at)}; {history.before(moment.at)}",
                    )


def _cancelled(history: History) -> Iterator[Violation]:
    """A limit order of theirs that rested and ended before it was filled, and not by their hand."""
    for order in history.final["orders"]:
        client_id = order["client_order_id"]
        if is_own_id(client_id) or client_id.startswith("PLAN_") or client_id in history.hand_cancels:
            continue
        rested = order["kind"] == "limit" and order["mode"] == GTC and order["side"] in OPENING_SIDES
        if rested and order["state"] == OVER and order["filled"] < order["size"]:
            at = order["updated_ms"] / 1000
            placed = order["created_ms"] / 1000
            if order["cancelled_by_dead_man"] and counted_s(history, placed, at) <= LONGEST_S:
                continue
            yield Violation(
                5,
                f"{order['symbol']}: the hand-made order {client_id} of {order['size']} was cancelled at "
                f"{clock(at)}, not by hand; {history.before(at)}",
            )


def _lost_stops(history: History) -> Iterator[Violation]:
    """A stop that they placed, gone while their position stayed as it was, and not by their hand."""
    fired = {order["client_order_id"] for order in history.final["orders"]}
    before: dict[int, Row] = {}
    for moment in history.moments:
        if not moment.answered:
            continue
        stops = {plan["order_id"]: plan for plan in moment.protections if _is_by_hand(plan)}
        held = {(row["symbol"], row["position_type"]) for row in moment.positions}
        for order_id, plan in before.items():
            if order_id in stops or f"PLAN_{order_id}" in fired:
                continue
            if (plan["symbol"], 1 if plan["side"] == 3 else 2) in held:
                yield Violation(
                    5,
                    f"{plan['symbol']}: the hand-made stop {plan['client_order_id']} was cancelled by "
                    f"{clock(moment.at)}, not by hand; {history.before(moment.at)}",
                )
        before = stops


def _is_by_hand(plan: Row) -> bool:
    return bool(plan["client_order_id"]) and not is_own_id(plan["client_order_id"]) and not plan["carrier"]


def _words(held: Holding) -> str:
    return f"{held.symbol} {side_word(held.position_type)} opened by hand at {clock(held.began_ms / 1000)}"
