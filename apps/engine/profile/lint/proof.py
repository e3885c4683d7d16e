"""What can be proved of rules: that they can never hold, always hold, or hold whenever others do.

A proof is of what is known: an unknown comparison is neither true nor false. Where the ways a rule could hold
are too many to go through, nothing is proved: silence, never a false alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from apps.engine.profile.lint.claims import Claim, Either, Every, Held, Order, claim
from apps.engine.profile.lint.orders import consistent
from apps.engine.rules.logic import Logic, Not

MOST_STEPS = 2_000
"""Ways looked into for one proof: a few tenths of a second at worst."""


def can_hold(*logics: Logic) -> bool:
    """False only when it is proved that they cannot all be true at one candle."""
    search = _Search()
    return search.possible([claim(logic) for logic in logics], [], {}) or search.steps > MOST_STEPS


def always_holds(logic: Logic) -> bool:
    """True only when it is proved that the rule cannot be false."""
    return not can_hold(Not(logic))


def follows(conclusion: Logic, *given: Logic) -> bool:
    """True only when it is proved that `conclusion` is not false wherever all of `given` are true."""
    return not can_hold(*given, Not(conclusion))


def contradiction(logics: Sequence[Logic]) -> list[int]:
    """Which of them (indices) contradict each other already, none to spare; [] when none is proved to."""
    if can_hold(*logics):
        return []
    needed = list(range(len(logics)))
    for index in range(len(logics)):
        without = [other for other in needed if other != index]
        if not can_hold(*(logics[other] for other in without)):
            needed = without
    return needed


@dataclass
class _Search:
    """Goes through the ways in which claims may be so, at most MOST_STEPS of them."""

    steps: int = field(default=0)

    def possible(self, claims: list[Claim], orders: list[Order], held: dict[object, bool]) -> bool:
        """Whether one way is without contradiction; meaningless beyond MOST_STEPS."""
        self.steps += 1
        choices: list[Either] = []
        orders, held, left = list(orders), dict(held), list(claims)
        while left:
            part = left.pop()
            match part:
                case Order():
                    orders.append(part)
                case Held(key, is_true):
                    if held.setdefault(key, is_true) != is_true:
                        return False
                case Every(parts):
                    left += parts
                case Either():
                    choices.append(part)
        if self.steps > MOST_STEPS or not consistent(orders):
            return False
        if not choices:
            return True
        first, *others = choices
        return any(self.possible([part, *others], orders, held) for part in first.parts)
