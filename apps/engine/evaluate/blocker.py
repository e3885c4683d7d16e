"""What kept a side from holding, and a symbol from being ready: rule items and timeframes that alone did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any as Anything

import numpy as np

from apps.engine.evaluate.agreement import agreed_side
from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.evaluate.outcome import NO_REASON, Codes, Outcome
from apps.engine.frame import Bools
from apps.engine.profile import Phase, TimeframeRules
from apps.engine.rules.logic import TRUE, Leaf, leaves
from apps.engine.rules.rule_input import RuleInput
from apps.engine.values.position import Side
from apps.engine.values.timeframe import Timeframe


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


@dataclass(frozen=True, eq=False)
class Blocker:
    """A judged timeframe at the moments of a past, (R,) each.

    `blocked`: no decision, and this timeframe did not take a side with the others. `alone`: had it alone
    had another outcome, the context would have agreed; of an execution timeframe: the symbol would be ready.
    """

    timeframe: Timeframe
    phase: Phase
    outcome: Codes
    blocked: Bools
    alone: Bools


def rule_items(judged: TimeframeRules, view: RuleInput) -> tuple[RuleItem, ...]:
    """Return every top-level item of a timeframe over the rows of its `view`, in the order written.

    A side without a rule never holds, whatever its filters say: it has no items.
    """
    items: list[RuleItem] = []
    for side in Side:
        rules = [
            (role, rule)
            for of_side, role, rule in judged.side_rules()
            if of_side == side and rule.logic is not None
        ]
        if not any(role == "rule" for role, _ in rules):
            continue
        written = [
            (role, item_text(content), logic)
            for role, rule in rules
            if rule.logic is not None
            for content, logic in zip(rule.content, rule.logic.parts, strict=True)
        ]
        with np.errstate(all="ignore"):  # as where the rule itself is judged: not finite is unknown
            truths = [view.flat(logic.truth(view)) for _, _, logic in written]
        missing = np.sum([truth != TRUE for truth in truths], axis=0)
        items += [
            RuleItem(side, role, text, tuple(leaves(logic)), truth, (truth != TRUE) & (missing == 1))
            for (role, text, logic), truth in zip(written, truths, strict=True)
        ]
    return tuple(items)


def item_text(content: Anything) -> str:
    """Return an item of a profile on one line: `rsi_lt_70(level=72)`, `any_of[a, b]`, `not a`."""
    if isinstance(content, str):
        return content
    [(name, value)] = content.items()
    if name == "not":
        return f"not {item_text(value)}"
    if isinstance(value, Mapping):  # numbers as a profile writes them: 0.000001, not 1e-06
        return f"{name}({', '.join(f'{key}={Decimal(str(number)):f}' for key, number in value.items())})"
    return f"{name}[{', '.join(item_text(item) for item in value)}]"


def blockers(past: PastJudgement) -> tuple[Blocker, ...]:
    """Return every judged timeframe, context first, each slowest first."""
    no_side = past.side == Outcome.NEUTRAL
    outcomes = [past.at_rows(judged, judged.outcome) for judged in past.context]
    context: list[Blocker] = []
    for index, judged in enumerate(past.context):
        outcome = outcomes[index]
        alone = np.zeros(len(no_side), dtype=bool)
        for side in (Outcome.LONG, Outcome.SHORT):
            instead = [*outcomes[:index], np.full_like(outcome, side), *outcomes[index + 1 :]]
            _, reason = agreed_side(instead, past.profile.validation_mode, len(no_side))
            alone |= no_side & (reason == NO_REASON)
        undecided = (outcome == Outcome.NEUTRAL) | (outcome == Outcome.INVALID)
        context.append(Blocker(judged.timeframe, judged.phase, outcome, no_side & (undecided | alone), alone))

    # Nothing chosen means: none of them. Had one taken the side, and been kept, it would have been chosen.
    blocked = ~no_side & ~past.ready
    execution = [
        Blocker(judged.timeframe, judged.phase, past.at_rows(judged, judged.outcome), blocked, blocked)
        for judged in past.execution
    ]
    return (*context, *execution)
