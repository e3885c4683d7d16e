"""What is done to the system and when: a pure function of the seed, so that a seed can be replayed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

SUBMIT = "/contract/private/submit-order"
LEVERAGE = "/contract/private/submit-leverage"
CANCEL = "/contract/private/cancel-order"
PROTECT = "/contract/private/submit-tp-sl-order"
OPEN_ORDERS = "/contract/private/get-open-orders"
HISTORY = "/contract/private/order-history"
PLANS = "/contract/private/current-plan-order"
POSITIONS = "/contract/private/position-v2"
TRADES = "/contract/private/trades"
LINES = "/contract/private/transaction-history"

BACKEND = "postgres-backend"
"""One connection's process of PostgreSQL; the others are named as the launcher names them."""
LONGEST_PAUSE_S = 8.0
STORM_S = (20.0, 38.0)
BETWEEN_S = (3.0, 8.0)
"""From one kill or pause to the next: a `watch` that compares no books opens nothing."""
QUIET_S = (9.0, 13.0)
FIRST_S = 6.0
LAST_S = 14.0
"""The end of a campaign, which belongs to the 418 alone."""

T = TypeVar("T")
Switches = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Disturbance:
    """From `begins_s` to `ends_s`, seconds after the campaign began.

    `kind`: kill (ends_s is when it was done), pause, fault (`faults` of the simulator are set, `healthy` are
    set in the end), preset (the same, of what is no fault), switch (the kill switch `name` is off).
    """

    begins_s: float
    ends_s: float
    kind: str
    name: str
    faults: Mapping[str, Any] = field(default_factory=dict)
    healthy: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to misbehave for a time within `lasts_s`. `faults`: a value, or a range to draw from."""

    name: str
    lasts_s: tuple[float, float]
    faults: Switches

    def drawn(self, chance: random.Random) -> Switches:
        return {switch: _drawn(value, chance) for switch, value in self.faults.items()}


def _drawn(value: Any, chance: random.Random) -> Any:
    if isinstance(value, range):
        return chance.choice(value)
    if isinstance(value, dict):
        return {name: _drawn(each, chance) for name, each in value.items()}
    return value


TRANSPORT = (
    Fault("429", (2, 4), {"answer_429": range(3, 9)}),
    Fault("503 HTML", (2, 4), {"answer_503": range(2, 9)}),
    Fault("latency", (4, 9), {"latency_ms": range(200, 1500, 100)}),
    Fault("latency beyond the timeout of orders", (3, 5), {"latency_ms": range(3200, 4500, 100)}),
    Fault("pushes twice", (8, 15), {"user_duplicate": True}),
    Fault("pushes in another order", (8, 15), {"user_reorder": True}),
    Fault("pushes silent", (8, 24), {"user_silence": True}),
    Fault("private socket dropped", (1, 2), {"user_drop": True}),
    Fault("clock ahead", (5, 12), {"clock_skew_ms": range(200, 900, 100)}),
    Fault("clock behind", (5, 12), {"clock_skew_ms": range(-800, -100, 100)}),
    Fault("partial fills", (8, 16), {"fill_at_most": range(1, 9)}),
)
"""One at a time of these, beside one of ORDERS."""
ORDERS = (
    Fault("order late", (5, 9), {"route_latency_ms": {SUBMIT: range(3200, 6000, 200)}}),
    Fault("order's answer held", (6, 12), {"hold_answer_s": {SUBMIT: range(4, 10)}}),
    Fault("order's answer dropped", (6, 12), {"drop_answers": {SUBMIT: range(1, 4)}}),
    Fault("stop's answer dropped", (6, 10), {"drop_answers": {PROTECT: range(1, 3)}}),
    Fault("cancel's answer dropped", (8, 14), {"drop_answers": {CANCEL: range(1, 3)}}),
    Fault("fill after cancel", (10, 20), {"fill_after_cancel": range(1, 4)}),
    Fault("orders rejected", (3, 6), {"reject": {SUBMIT: 40011}}),
    Fault("leverage refused", (3, 6), {"reject": {LEVERAGE: 40040}}),
    Fault("stops refused", (2, 6), {"refuse_stops": True}),
    Fault("plans lag", (8, 16), {"lag_lists_s": {PLANS: range(3, 12)}}),
    Fault("positions lag", (8, 16), {"lag_lists_s": {POSITIONS: range(3, 12)}}),
    Fault(
        "orders and trades lag", (8, 16), {"lag_lists_s": {OPEN_ORDERS: range(3, 12), TRADES: range(3, 20)}}
    ),
    Fault("orders empty", (8, 14), {"empty_lists": {OPEN_ORDERS: range(1, 5), HISTORY: range(1, 4)}}),
    Fault("positions empty", (8, 14), {"empty_lists": {POSITIONS: range(1, 4)}}),
    Fault("plans empty", (8, 14), {"empty_lists": {PLANS: range(1, 4)}}),
    Fault("trades empty", (8, 14), {"empty_lists": {TRADES: range(1, 4)}}),
    Fault("positions unreadable", (4, 9), {"garble_rows": {f"{POSITIONS} * liquidation_price": "?"}}),
    Fault("positions' sizes unreadable", (3, 6), {"garble_rows": {f"{POSITIONS} * current_amount": "?"}}),
    Fault("orders unreadable", (4, 9), {"garble_rows": {f"{OPEN_ORDERS} * size": None}}),
    Fault("ledger unreadable", (5, 12), {"garble_rows": {f"{LINES} * flow_type": 99}}),
)
PRESETS = ("never", "first_fill", "complete")
KILLED = ("watch", "watch", "worker-exchange", "worker-exchange", "simulator", "valkey", "postgres", BACKEND)
PAUSED = ("watch", "worker-exchange", "simulator", "valkey", "postgres", BACKEND)
HEALTHY: Switches = {
    "answer_429": 0,
    "answer_418": 0,
    "answer_503": 0,
    "latency_ms": 0,
    "route_latency_ms": {},
    "hold_answer_s": {},
    "drop_answers": {},
    "reject": {},
    "lag_lists_s": {},
    "empty_lists": {},
    "garble_rows": {},
    "fill_after_cancel": 0,
    "refuse_stops": False,
    "fill_at_most": 0,
    "user_drop": False,
    "user_silence": False,
    "user_duplicate": False,
    "user_reorder": False,
    "clock_skew_ms": 0,
}


def timetable(seed: int, seconds: float, symbols: Sequence[str]) -> list[Disturbance]:
    """Return every disturbance of a campaign of so many seconds, in the order in which they begin.

    Storms, in which kills and pauses, two kinds of faults and a kill switch overlap, alternate with quiet
    gaps. No fault comes again before each of its kind came once. A 418 is the last of all.
    """
    chance = random.Random(seed)  # noqa: S311 - must be repeatable, guards nothing
    transport, orders = _dealt(TRANSPORT, chance), _dealt(ORDERS, chance)
    processes = _dealt([("kill", n) for n in KILLED] + [("pause", n) for n in PAUSED], chance)
    switched = _dealt(["GLOBAL", *(f"SYMBOL:{symbol}" for symbol in symbols[:3])], chance)
    planned = list(_presets(seconds, chance))
    end_of_storms = seconds - LAST_S
    began = FIRST_S
    while began < end_of_storms - 5:
        end = min(began + chance.uniform(*STORM_S), end_of_storms)
        planned += [*_faults(transport, began, end, chance), *_faults(orders, began, end, chance)]
        planned += _kills_and_pauses(processes, began, end, chance)
        off_at = chance.uniform(began, end)
        planned.append(Disturbance(off_at, off_at + chance.uniform(4, 9), "switch", next(switched)))
        began = end + chance.uniform(*QUIET_S)
    blocked = {"answer_418": 1}
    planned.append(
        Disturbance(end_of_storms + 4, end_of_storms + 10, "fault", "418", blocked, {"answer_418": 0})
    )
    return sorted(planned, key=lambda each: each.begins_s)


def _faults(
    faults: Iterator[Fault], began: float, end: float, chance: random.Random
) -> Iterator[Disturbance]:
    """One after the other until the storm is over, with short gaps."""
    at = began + chance.uniform(0, 2)
    while at < end - 1:
        fault = next(faults)
        until = min(at + chance.uniform(*fault.lasts_s), end)
        switches = fault.drawn(chance)
        yield Disturbance(
            at, until, "fault", fault.name, switches, {name: HEALTHY[name] for name in switches}
        )
        at = until + chance.uniform(0.5, 2)


def _kills_and_pauses(
    processes: Iterator[tuple[str, str]], began: float, end: float, chance: random.Random
) -> Iterator[Disturbance]:
    """One each few seconds; one in five comes with another at its heels."""
    at = began + chance.uniform(0.5, 3)
    while at < end - 1:
        kind, name = next(processes)
        until = at if kind == "kill" else min(at + chance.uniform(1, LONGEST_PAUSE_S), end)
        yield Disturbance(at, until, kind, name)
        at = until + (0.3 if chance.random() < 0.2 else chance.uniform(*BETWEEN_S))


def _presets(seconds: float, chance: random.Random) -> Iterator[Disturbance]:
    """When the exchange arms the stop of an entry, changed now and then."""
    at = 0.0
    for when in _dealt(PRESETS, chance):
        if at >= seconds:
            return
        until = at + chance.uniform(12, 25)
        yield Disturbance(at, until, "preset", when, {"preset_on_partial": when})
        at = until


def _dealt(cards: Sequence[T], chance: random.Random) -> Iterator[T]:
    """Each once in a random order, then again in another."""
    while True:
        yield from chance.sample(cards, len(cards))
