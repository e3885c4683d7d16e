"""manage.py mtf_explain: why a symbol was or was not ready at a minute."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from apps.admin_base.format import SELECTION, significant
from apps.console.terminal import BadTime, parse_moment
from apps.engine.evaluate.verdict import LeafVerdict, TimeframeVerdict
from apps.engine.profile import ProfileError
from apps.engine.values.contract import UnknownSymbol
from apps.insight.explanation import CannotExplain, Explanation, explain
from apps.profiles import store as profiles

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
            at = datetime.now(UTC) if options["at"] is None else parse_moment(options["at"])
        except BadTime as fault:
            raise CommandError(f"at: {fault}") from fault
        names = [options["profile"]]
        if not options["profile"]:
            names = [profile.name for profile in profiles.configured_profiles()]
        for name in names:
            try:
                explanation = explain(options["symbol"], at, name)
            except (CannotExplain, ProfileError, UnknownSymbol) as fault:
                raise CommandError(str(fault)) from fault
            if options["json"]:
                self.stdout.write(json.dumps(explanation.to_json()))
            else:
                show(explanation)


def show(explanation: Explanation) -> None:
    """Print the explanation: the answer first, then per timeframe what each side lacks and each condition."""
    console, verdict = Console(), explanation.verdict
    console.rule(f"{verdict.symbol} · {verdict.profile} · {verdict.evaluated_at:%Y-%m-%d %H:%M} UTC")
    if verdict.is_ready:
        console.print(
            f"[bold green]READY {verdict.side}[/] on {verdict.execution_timeframe}, score {verdict.score:.2f}"
        )
    else:
        agreed = f" (the context agrees on {verdict.side})" if verdict.side else ""
        console.print(f"[bold]no trade[/]: {verdict.reason}{agreed}")
    for judged in verdict.timeframes:
        missing = f", missing {', '.join(judged.missing)}" if judged.missing else ""
        why = f" ({judged.reason}{missing})" if judged.reason else ""
        grace = ", in grace: the candle before" if judged.grace else ""
        console.print(
            f"\n[bold]{judged.timeframe} {judged.phase}[/]: {judged.outcome.word}{why} · "
            f"candle {judged.candle_open_at:%H:%M}{grace}",
            highlight=False,
        )
        for side in explanation.missing:
            if (side.timeframe, side.phase) == (judged.timeframe, judged.phase):
                alone = "only " if len(side.missing) == 1 else ""
                names = escape(", ".join(side.missing))
                lack = f"{len(side.missing)} of {side.items} missing: {alone}{names}"
                text = lack if side.missing else f"[green]all {side.items} hold[/]"
                console.print(f"  {side.side}: {text}", highlight=False)
        console.print(_condition_table(judged, wide=console.width >= WIDE))
    console.print(explanation.sentence, highlight=False)


def _condition_table(judged: TimeframeVerdict, *, wide: bool) -> Table:
    """Return a row a condition; narrow, for 80 columns, a heading a side and the formula below its name."""
    if wide:
        table = Table("side", "condition", Column("formula", overflow="fold"), "left", "right", "")
        for leaf in judged.leaves:
            table.add_row(_side(leaf), leaf.condition, escape(leaf.text), *_values(leaf))
        return table
    table = Table(Column("condition", overflow="fold"), "left", "right", "", expand=True, box=box.SIMPLE_HEAD)
    for side, of_side in groupby(judged.leaves, key=_side):
        table.add_row(f"[bold]{side}[/]")
        for condition, leaves in groupby(of_side, key=lambda leaf: leaf.condition):
            if condition:
                table.add_row(condition)
            for leaf in leaves:
                table.add_row(f"[dim]{escape(leaf.text)}[/]", *_values(leaf))
    return table


def _side(leaf: LeafVerdict) -> str:
    """Return the side the leaf speaks of; for a leaf of the selection what it would do."""
    if leaf.side is None:
        return SELECTION[leaf.role]
    return f"{leaf.side} (filter)" if leaf.role == "filter" else str(leaf.side)


def _values(leaf: LeafVerdict) -> tuple[str, str, str]:
    return significant(leaf.left), significant(leaf.right), HELD[leaf.held]
