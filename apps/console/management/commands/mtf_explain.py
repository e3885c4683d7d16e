"""manage.py mtf_explain: why a symbol was or was not ready at a minute."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from apps.console.times import BadTime, moment
from apps.engine.evaluate.verdict import LeafVerdict, TimeframeVerdict, Verdict
from apps.engine.profile import ProfileError
from apps.engine.values.contract import UnknownSymbol
from apps.insight.explanation import CannotExplain, Explanation, MissingItems, explain
from apps.profiles import store as profiles

SELECTION = {"stay": "stay if all", "drop": "drop if any", "forbid": "no drop if any"}
WIDE = 120
"""Columns from which side, condition and formula have a column each."""
HELD = {True: "[green]held[/]", False: "[red]no[/]", None: "[yellow]unknown[/]"}


class Command(BaseCommand):
    help = (
        "Explain a decision: recompute the verdict of a symbol at a minute from stored candles, show each "
        "condition with its values per timeframe and side, and say whether it equals what was stored. "
        'Examples: mtf_explain BTCUSDT · mtf_explain BTCUSDT "2026-05-04 12:31" --profile regular'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("symbol")
        parser.add_argument("at", nargs="?", default=None, help="UTC minute, ISO or 'Y-m-d H:M'; absent: now")
        parser.add_argument("--profile", default=None, help="absent: every configured profile")
        parser.add_argument("--json", action="store_true", help="one JSON object a profile and line")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            at = datetime.now(UTC) if options["at"] is None else moment(options["at"])
        except BadTime as fault:
            raise CommandError(f"at: {fault}") from fault
        names = (
            [options["profile"]] if options["profile"] else [p.name for p in profiles.configured_profiles()]
        )
        for name in names:
            try:
                found = explain(options["symbol"], at, name)
            except (CannotExplain, ProfileError, UnknownSymbol) as fault:
                raise CommandError(str(fault)) from fault
            if options["json"]:
                self.stdout.write(json.dumps(found.to_json()))
            else:
                show(found)


def show(found: Explanation) -> None:
    """The explanation, readable: the answer first, then per timeframe each condition."""
    console, verdict = Console(), found.verdict
    console.rule(f"{verdict.symbol} · {verdict.profile} · {verdict.evaluated_at:%Y-%m-%d %H:%M} UTC")
    console.print(_answer(verdict))
    for one in verdict.timeframes:
        console.print(_title(one), highlight=False)
        for line in _lacking(found.missing, one):
            console.print(line, highlight=False)
        console.print(_wide(one) if console.width >= WIDE else _narrow(one))
    console.print(found.sentence, highlight=False)


def _answer(verdict: Verdict) -> str:
    if verdict.is_ready:
        return (
            f"[bold green]READY {verdict.side}[/] on {verdict.execution_timeframe}, score {verdict.score:.2f}"
        )
    agreed = f" (the context agrees on {verdict.side})" if verdict.side else ""
    return f"[bold]no trade[/]: {verdict.reason}{agreed}"


def _title(one: TimeframeVerdict) -> str:
    missing = f", missing {', '.join(one.missing)}" if one.missing else ""
    grace = ", in grace: the candle before" if one.grace else ""
    why = f" ({one.reason}{missing})" if one.reason else ""
    opened = f"{one.candle_open_at:%H:%M}"
    return f"\n[bold]{one.timeframe} {one.phase}[/]: {one.outcome.word}{why} · candle {opened}{grace}"


def _lacking(missing: Sequence[MissingItems], one: TimeframeVerdict) -> list[str]:
    """A line a side: what it lacks; a side that is one item short says that it alone is missing."""
    found = [each for each in missing if (each.timeframe, each.phase) == (one.timeframe, one.phase)]
    lines = []
    for each in found:
        if not each.missing:
            lines.append(f"  {each.side}: [green]all {each.items} hold[/]")
            continue
        alone = "only " if len(each.missing) == 1 else ""
        named = escape(", ".join(each.missing))
        lines.append(f"  {each.side}: {len(each.missing)} of {each.items} missing: {alone}{named}")
    return lines


def _wide(one: TimeframeVerdict) -> Table:
    table = Table("side", "condition", Column("formula", overflow="fold"), "left", "right", "")
    for leaf in one.leaves:
        table.add_row(_side(leaf), leaf.condition, escape(leaf.text), *_values(leaf))
    return table


def _narrow(one: TimeframeVerdict) -> Table:
    """The same for 80 columns and less: a heading a side, the formula below its condition's name."""
    table = Table(Column("condition", overflow="fold"), "left", "right", "", expand=True, box=box.SIMPLE_HEAD)
    for side, of_side in groupby(one.leaves, key=_side):
        table.add_row(f"[bold]{side}[/]")
        for condition, leaves in groupby(of_side, key=lambda leaf: leaf.condition):
            if condition:
                table.add_row(condition)
            for leaf in leaves:
                table.add_row(f"[dim]{escape(leaf.text)}[/]", *_values(leaf))
    return table


def _side(leaf: LeafVerdict) -> str:
    """The side the leaf speaks of; for a leaf of the selection what it would do."""
    if leaf.side is None:
        return SELECTION[leaf.role]
    return f"{leaf.side} (filter)" if leaf.role == "filter" else str(leaf.side)


def _values(leaf: LeafVerdict) -> tuple[str, str, str]:
    return _number(leaf.left), _number(leaf.right), HELD[leaf.held]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.7g}"
