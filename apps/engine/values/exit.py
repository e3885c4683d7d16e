"""How a position is left besides at its stop and its target, decided with its plan."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

RECALCULATE_EACH_S = 180
"""So often a stop may move, counted from the opening of its position: not before the first time either."""


@dataclass(frozen=True, slots=True)
class ExitRules:
    """What travels from a plan to its order and its position; each rule is off by default.

    `first_target`: the price where half of it is closed already; None: all of it goes at the target.
    `moves_stop`: its stop follows, each 3 minutes: to break-even once that half is closed, which costs twice
    `taker` (ratio of notional) of the entry price, and `trail_distance`, in price, behind the mark; None:
    not behind the mark. Held for `max_holding_s` it is closed at market; None: never.
    """

    first_target: Decimal | None = None
    taker: Decimal = Decimal(0)
    moves_stop: bool = False
    trail_distance: Decimal | None = None
    max_holding_s: int | None = None


NO_EXIT_RULES = ExitRules()
