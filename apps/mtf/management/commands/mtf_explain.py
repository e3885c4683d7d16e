"""manage.py mtf_explain: why a symbol was or was not ready at a minute."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Column, Table

from apps.engine.evaluate.verdict import LeafVerdict, Readiness, TimeframeVerdict, Verdict
from apps.engine.profile import ProfileError
from apps.mtf.explain import CannotExplain, Explanation, explain
from apps.profiles import store as profiles

SELECTION = {"stay": "stay if all", "drop": "drop if any", "forbid": "no drop if any"}
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
        at = _moment(options["at"])
        names = [options["profile"]] if options["profile"] else [p.name for p in profiles.configured()]
        for name in names:
            try:
                found = explain(options["symbol"], at, name)
            except (CannotExplain, ProfileError) as fault:
                raise CommandError(str(fault)) from fault
            if options["json"]:
                self.stdout.write(json.dumps(found.to_json()))
            else:
                show(found)


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"at: {text!r} is not a time like '2026-05-04 12:31' or 2026-05-04T12:31Z"
        ) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def show(found: Explanation) -> None:
    """The explanation, readable: the answer first, then per timeframe each condition."""
    console, verdict = Console(), found.verdict
    console.rule(f"{verdict.symbol} · {verdict.profile} · {verdict.evaluated_at:%Y-%m-%d %H:%M} UTC")
    console.print(_answer(verdict))
    for one in verdict.timeframes:
        console.print(_table(one))
    console.print(found.comparison)


def _answer(verdict: Verdict) -> str:
    if verdict.outcome is Readiness.READY:
        return (
            f"[bold green]READY {verdict.side}[/] on {verdict.execution_timeframe}, score {verdict.score:.2f}"
        )
    agreed = f" (the context agrees on {verdict.side})" if verdict.side else ""
    return f"[bold]no trade[/]: {verdict.reason}{agreed}"


def _table(one: TimeframeVerdict) -> Table:
    missing = f", missing {', '.join(one.missing)}" if one.missing else ""
    grace = ", in grace: the candle before" if one.grace else ""
    why = f" ({one.reason}{missing})" if one.reason else ""
    table = Table(
        "side",
        Column("condition", overflow="fold"),
        "formula",
        "left",
        "right",
        "",
        title=f"{one.timeframe} {one.phase}: {one.outcome}{why} · candle {one.candle_open_at:%H:%M}{grace}",
        title_justify="left",
    )
    for leaf in one.leaves:
        table.add_row(
            _asked_by(leaf),
            leaf.condition,
            leaf.text,
            _number(leaf.left),
            _number(leaf.right),
            HELD[leaf.held],
        )
    return table


def _asked_by(leaf: LeafVerdict) -> str:
    """The side the leaf speaks of; for a leaf of the selection what it would do."""
    if leaf.side is None:
        return SELECTION[leaf.role]
    return f"{leaf.side} (filter)" if leaf.role == "filter" else str(leaf.side)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.7g}"
