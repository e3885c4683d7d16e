"""Sides that can never be taken, and sides that cannot be told apart."""

from __future__ import annotations

from collections.abc import Iterator

from apps.engine.profile.lint.finding import Finding, error
from apps.engine.profile.lint.item import Item, idle_item_findings, rule_items
from apps.engine.profile.lint.proof import can_hold, contradiction, follows
from apps.engine.profile.profile import Profile
from apps.engine.profile.schema import Phase, TimeframeRules
from apps.engine.rules.rule import Rule
from apps.engine.values.position import Side

SECTIONS = {"rule": "timeframes", "filter": "filters_mandatory"}
SELECTION = {"stay": "stay_on_if", "drop": "drop_to_lower_if_any", "forbid": "forbid_drop_to_lower_if_any"}


def side_findings(profile: Profile) -> Iterator[Finding]:
    """The rules, filters and selections of every timeframe and phase."""
    for judged in profile.timeframe_rules:
        for side, role, rule in judged.all_rules():
            yield from idle_item_findings(rule_items(rule, list_path(profile, judged, side, role)))
        for side in (Side.LONG, Side.SHORT):
            yield from _never_holds(profile, judged, side)
        yield from _both_hold(profile, judged)


def never_holds(judged: TimeframeRules, side: Side) -> bool:
    """Whether the side has no rules there, or rules and filters that are proved to contradict each other."""
    rule, filters = _rules(judged, side)
    if rule is None or rule.logic is None:
        return True
    given = [one.logic for one in (rule, filters) if one is not None and one.logic is not None]
    return not can_hold(*given)


def list_path(profile: Profile, judged: TimeframeRules, side: Side | None, role: str) -> str:
    """Where the list stands in the file: a phase's own where it has one."""
    if side is None:
        return f"selection.{judged.timeframe}.{SELECTION[role]}"
    section = profile.rules if role == "rule" else profile.filters
    of_timeframe = section[judged.timeframe]
    special = of_timeframe.context if judged.phase == Phase.CONTEXT else of_timeframe.execution
    own = special is not None and special.of(side) is not None
    phase = f".{judged.phase}" if own else ""
    return f"{SECTIONS[role]}.{judged.timeframe}{phase}.{side}"


def _rules(judged: TimeframeRules, side: Side) -> tuple[Rule | None, Rule | None]:
    if side == Side.LONG:
        return judged.long, judged.long_filters
    return judged.short, judged.short_filters


def _never_holds(profile: Profile, judged: TimeframeRules, side: Side) -> Iterator[Finding]:
    rule, filters = _rules(judged, side)
    if rule is None or rule.logic is None:
        return
    path = list_path(profile, judged, side, "rule")
    items = list(rule_items(rule, path).flat())
    if any(not item.reads() and not can_hold(item.logic) for item in items):
        return  # who writes `never` means it
    if found := _contradicting(items):
        yield error(path, f"the {side} side can never hold: {found}")
        return
    if filters is None:
        return
    path = list_path(profile, judged, side, "filter")
    if filters.logic is None:
        yield error(path, f"a filter without items never holds: leave the list out to filter no {side}s")
    elif found := _contradicting([*items, *rule_items(filters, path).flat()]):
        yield error(path, f"the filters refuse every {side}: {found}")


def _contradicting(items: list[Item]) -> str:
    """The fewest items that cannot hold together, in words; "" when none is proved to."""
    core = [items[index] for index in contradiction([item.logic for item in items])]
    if not core:
        return ""
    if len(core) == 1:
        return f"{core[0].text} ({core[0].path}) never does"
    listed = " and ".join(f"{item.text} ({item.path})" for item in core)
    return f"{listed} contradict each other"


def _both_hold(profile: Profile, judged: TimeframeRules) -> Iterator[Finding]:
    """LONG_AND_SHORT, known in advance."""
    long, short = judged.long, judged.short
    if long is None or long.logic is None or short is None or short.logic is None:
        return
    for side, one, other_side, other in (
        (Side.LONG, long, Side.SHORT, short),
        (Side.SHORT, short, Side.LONG, long),
    ):
        assert one.logic is not None
        assert other.logic is not None
        known = set(other.reads()) <= set(one.reads())
        if known and can_hold(one.logic) and follows(other.logic, one.logic):
            yield error(
                list_path(profile, judged, side, "rule"),
                f"whenever {side} holds {other_side} holds too: LONG_AND_SHORT, and no {side} is ever taken",
            )
