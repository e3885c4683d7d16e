"""What stood in the way: the items of a side that alone were missing, and the timeframes that alone were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any as Anything

import numpy as np

from apps.engine.evaluate.agreement import agreed_side
from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.evaluate.outcome import NO_REASON, Codes, Outcome
from apps.engine.evaluate.timeframe import TimeframeOutcome
from apps.engine.frame import Bools
from apps.engine.profile import Judged
from apps.engine.rules.leaf import TRUE, Leaf
from apps.engine.rules.logic import Logic, leaves
from apps.engine.rules.rule import Rule
from apps.engine.rules.view import View
from apps.engine.values.side import Side


@dataclass(frozen=True, eq=False)
class RuleItem:
    """One top-level item of a side, as written: a condition, a group or a formula.

    `role` is "rule" or "filter". `truth` (R,) is -1, 0 or +1; `only_missing` (R,) where the side did not hold
    and would have, with its mandatory filters, had this item alone been true.
    """

    side: Side
    role: str
    text: str
    leaves: tuple[Leaf, ...]
    truth: Codes
    only_missing: Bools


def rule_items(judged: Judged, view: View) -> tuple[RuleItem, ...]:
    """Every top-level item of a timeframe over the rows of its `view`, in the order they are written.

    A side without a rule never holds, whatever its filters say: it has no items.
    """
    ruled = {side for side, role, rule in judged.rules() if role == "rule" and rule.logic is not None}
    return tuple(one for side in Side if side in ruled for one in _of_side(judged, side, view))


@dataclass(frozen=True, eq=False)
class Blocker:
    """A judged timeframe at the moments of a history, (R,) each.

    `blocked`: no decision, and this timeframe did not take a side with the others. `alone`: had it alone
    answered otherwise, the context would have agreed; of an execution timeframe: the symbol would be ready.
    """

    judgement: TimeframeOutcome
    outcome: Codes
    blocked: Bools
    alone: Bools


def blockers(history: PastJudgement) -> tuple[Blocker, ...]:
    """Every judged timeframe, context first, each slowest first."""
    outcomes = [history.on_rows(one, one.outcome) for one in history.context]
    found = [_in_context(history, index, one, outcomes) for index, one in enumerate(history.context)]
    return (*found, *(_in_execution(history, one) for one in history.execution))


def item_text(content: Anything) -> str:
    """An item of a profile on one line: `rsi_lt_70(level=72)`, `any_of[a, b]`, `not a`."""
    if isinstance(content, str):
        return content
    [(name, value)] = content.items()
    if name == "not":
        return f"not {item_text(value)}"
    if isinstance(value, Mapping):
        return f"{name}({', '.join(f'{key}={_digits(number)}' for key, number in value.items())})"
    return f"{name}[{', '.join(item_text(one) for one in value)}]"


def _of_side(judged: Judged, side: Side, view: View) -> list[RuleItem]:
    written = [
        (role, *part, _truth(part[1], view))
        for of, role, rule in judged.rules()
        if of == side
        for part in _parts(rule)
    ]
    missing = np.sum([truth != TRUE for *_, truth in written], axis=0)
    return [
        RuleItem(side, role, text, tuple(leaves(logic)), truth, (truth != TRUE) & (missing == 1))
        for role, text, logic, truth in written
    ]


def _digits(number: float) -> str:
    """As a profile writes it: 0.000001, not 1e-06."""
    return f"{Decimal(str(number)):f}"


def _parts(rule: Rule) -> list[tuple[str, Logic]]:
    """Each item's text and logic."""
    if rule.logic is None:
        return []
    return [
        (item_text(content), logic) for content, logic in zip(rule.content, rule.logic.parts, strict=True)
    ]


def _truth(logic: Logic, view: View) -> Codes:
    with np.errstate(all="ignore"):  # as where the rule itself is judged: not finite is unknown
        return view.along(logic.truth(view))


def _in_context(history: PastJudgement, index: int, one: TimeframeOutcome, outcomes: list[Codes]) -> Blocker:
    own, open_ = outcomes[index], history.side == Outcome.NEUTRAL
    forced = [
        _agreed(history, [*outcomes[:index], np.full_like(own, side), *outcomes[index + 1 :]])
        for side in (Outcome.LONG, Outcome.SHORT)
    ]
    alone = open_ & (forced[0] | forced[1])
    undecided = (own == Outcome.NEUTRAL) | (own == Outcome.INVALID)
    return Blocker(one, own, open_ & (undecided | alone), alone)


def _agreed(history: PastJudgement, outcomes: list[Codes]) -> Bools:
    _, reason = agreed_side(outcomes, history.profile.validation_mode, len(history.side))
    return np.asarray(reason == NO_REASON)


def _in_execution(history: PastJudgement, one: TimeframeOutcome) -> Blocker:
    """Nothing chosen means: not this one. Had it taken the side, and been kept, it would have been chosen."""
    blocked = (history.side != Outcome.NEUTRAL) & ~history.ready
    return Blocker(one, history.on_rows(one, one.outcome), blocked, blocked)
