"""What was seen and what was done during a campaign: all that its judge looks at. Times are Unix seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Row = Mapping[str, Any]
OWN_PREFIX = "tv3"
"""Client ids of ours begin so; the exchange names an order that a plan became PLAN_ and the plan's number."""
LONG, SHORT = 1, 2
CLOSING_SIDE = {LONG: 3, SHORT: 2}
OPENING_SIDES = (1, 4)
OVER = 4
"""The exchange's numbers for positions, for sides of orders, and for a state."""
LAST_ACTIONS = 6
SHOWN_BEFORE_S = 30.0


@dataclass(frozen=True, slots=True)
class Moment:
    """The exchange's books at `at`; `answered` False: it did not answer. `faults`: its switches then."""

    at: float
    answered: bool
    positions: Sequence[Row] = ()
    protections: Sequence[Row] = ()
    faults: Row = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sighting:
    """When an order was first in the books, and how far ahead the exchange's clock was set (seconds)."""

    at: float
    skew_s: float


@dataclass(frozen=True, slots=True)
class Absence:
    """`who` (a process, or a fault by its name) was away from `began` to `ended`; `restarted`: killed."""

    who: str
    began: float
    ended: float
    restarted: bool = False


@dataclass(frozen=True, slots=True)
class SwitchOff:
    """`key` was committed as off before `set_at`, and not yet on again at `cleared_at`."""

    key: str
    set_at: float
    cleared_at: float


@dataclass(frozen=True, slots=True)
class Action:
    """Something that was done, in words; `attacks`: by the timetable, not in the course of trade."""

    at: float
    what: str
    attacks: bool = True


@dataclass(slots=True)
class History:
    """`final`: the exchange's books when all was over. `hand_cancels`: client ids cancelled by hand."""

    moments: list[Moment] = field(default_factory=list)
    sightings: dict[int, Sighting] = field(default_factory=dict)
    absences: list[Absence] = field(default_factory=list)
    switches: list[SwitchOff] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    hand_cancels: set[str] = field(default_factory=set)
    unsettled: list[str] = field(default_factory=list)
    final: Row = field(default_factory=dict)

    def note(self, what: str, *, attacks: bool = False) -> None:
        """Remember what was done just now."""
        self.actions.append(Action(time.time(), what, attacks))

    def before(self, at: float) -> str:
        """Return the last attacks before `at`, in words."""
        recent = [each for each in self.actions if each.attacks and at - SHOWN_BEFORE_S <= each.at <= at]
        words = [f"{clock(action.at)} {action.what}" for action in recent[-LAST_ACTIONS:]]
        return "before it: " + ("; ".join(words) or "nothing")


@dataclass(frozen=True, slots=True)
class OurBooks:
    """Rows of our own tables when all was over."""

    orders: Sequence[Row]
    fills: Sequence[Row]
    positions: Sequence[Row]
    locks: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that was broken: the number of the rule and a sentence."""

    rule: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Holding:
    """A position from its first fill until it was flat or all was over, its fills in order."""

    symbol: str
    position_type: int
    fills: tuple[Row, ...]

    @property
    def began_ms(self) -> int:
        return int(self.fills[0]["at_ms"])

    @property
    def is_ours(self) -> bool:
        return is_own_id(self.fills[0]["client_order_id"])


def holdings(books: Row) -> Iterator[Holding]:
    """Yield every position of the books, from their fills: ours by whose order opened it."""
    running: dict[tuple[str, int], list[Row]] = {}
    sizes: dict[tuple[str, int], int] = {}
    for fill in sorted(books["fills"], key=lambda row: int(row["trade_id"])):
        key = fill["symbol"], LONG if fill["side"] in (1, 3) else SHORT
        running.setdefault(key, []).append(fill)
        signed = fill["contracts"] if fill["side"] in OPENING_SIDES else -fill["contracts"]
        sizes[key] = sizes.get(key, 0) + signed
        if sizes[key] == 0:
            yield Holding(*key, tuple(running.pop(key)))
    for key, fills in running.items():
        yield Holding(*key, tuple(fills))


def is_own_id(client_order_id: str) -> bool:
    return client_order_id.startswith(OWN_PREFIX)


def is_own_plan(plan: Row, own_orders: set[int]) -> bool:
    """Whether a stop or target is ours: by its id, or as the preset of an order of ours."""
    return is_own_id(plan["client_order_id"]) or plan["carrier"] in own_orders


def own_order_ids(books: Row) -> set[int]:
    """Return the exchange's ids of our orders."""
    return {row["order_id"] for row in books["orders"] if is_own_id(row["client_order_id"])}


def clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-5]


def side_word(position_type: int) -> str:
    return "long" if position_type == LONG else "short"
