"""Sides that can never be taken, and sides that cannot be told apart."""

from __future__ import annotations

from collections.abc import Iterator

from apps.engine.profile.lint.finding import Finding, error
from apps.engine.profile.lint.item import Item, idle_item_findings, rule_items
from apps.engine.profile.lint.proof import can_hold, contradiction, follows
from apps.engine.profile.profile import Profile
from apps.engine.profile.schema import SELECTION_KEYS, Phase, TimeframeRules
from apps.engine.rules.rule import Rule
from apps.engine.values.position import Side

SECTIONS = {"rule": "timeframes", "filter": "filters_mandatory"}


def side_findings(profile: Profile) -> Iterator[Finding]:
    """Check the rules, filters and selections of every timeframe and phase."""
    for rules in profile.timeframe_rules:
        for side, role, rule in rules.all_rules():
            yield from idle_item_findings(rule_items(rule, list_path(profile, rules, side, role)))
        for side in (Side.LONG, Side.SHORT):
            yield from _contradiction_findings(profile, rules, side)

        # LONG_AND_SHORT, known in advance.
        pairs = ((Side.LONG, rules.long, rules.short), (Side.SHORT, rules.short, rules.long))
        for side, rule_of_side, opposite in pairs:
            logic = None if rule_of_side is None else rule_of_side.logic
            opposite_logic = None if opposite is None else opposite.logic
            if rule_of_side is None or opposite is None or logic is None or opposite_logic is None:
                continue
            known = set(opposite.reads()) <= set(rule_of_side.reads())
            if known and can_hold(logic) and follows(opposite_logic, logic):
                other = Side.SHORT if side == Side.LONG else Side.LONG
                yield error(
                    list_path(profile, rules, side, "rule"),
                    f"whenever {side} holds {other} holds too: LONG_AND_SHORT, and no {side} is ever taken",
                )


def never_holds(rules: TimeframeRules, side: Side) -> bool:
    """Whether the side has no rules there, or rules and filters that are proved to contradict each other."""
    rule, filters = _of_side(rules, side)
    if rule is None or rule.logic is None:
        return True
    if filters is None or filters.logic is None:
        return not can_hold(rule.logic)
    return not can_hold(rule.logic, filters.logic)


def list_path(profile: Profile, rules: TimeframeRules, side: Side | None, role: str) -> str:
    """Return where the list stands in the file: in the phase's own part where it has one."""
    if side is None:
        return f"selection.{rules.timeframe}.{SELECTION_KEYS[role]}"
    section = (profile.rules if role == "rule" else profile.filters)[rules.timeframe]
    special = section.context if rules.phase == Phase.CONTEXT else section.execution
    phase = f".{rules.phase}" if special is not None and special.of(side) is not None else ""
    return f"{SECTIONS[role]}.{rules.timeframe}{phase}.{side}"


def _contradiction_findings(profile: Profile, rules: TimeframeRules, side: Side) -> Iterator[Finding]:
    rule, filters = _of_side(rules, side)
    if rule is None or rule.logic is None:
        return
    path = list_path(profile, rules, side, "rule")
    items = list(rule_items(rule, path).flat())
    if any(not item.reads() and not can_hold(item.logic) for item in items):
        return  # who writes `never` means it
    if problem := _contradiction_text(items):
        yield error(path, f"the {side} side can never hold: {problem}")
        return
    if filters is None:
        return
    path = list_path(profile, rules, side, "filter")
    if filters.logic is None:
        yield error(path, f"a filter without items never holds: leave the list out to filter no {side}s")
    elif problem := _contradiction_text([*items, *rule_items(filters, path).flat()]):
        yield error(path, f"the filters refuse every {side}: {problem}")


def _contradiction_text(items: list[Item]) -> str:
    """Return the fewest items that cannot hold together, in words; "" when none is proved to."""
    core = [items[index] for index in contradiction([item.logic for item in items])]
    if not core:
        return ""
    if len(core) == 1:
        return f"{core[0].text} ({core[0].path}) never does"
    listed = " and ".join(f"{item.text} ({item.path})" for item in core)
    return f"{listed} contradict each other"


def _of_side(rules: TimeframeRules, side: Side) -> tuple[Rule | None, Rule | None]:
    """Return the rule and the filters of the side."""
    if side == Side.LONG:
        return rules.long, rules.long_filters
    return rules.short, rules.short_filters
