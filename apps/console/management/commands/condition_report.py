"""manage.py condition_report: which conditions, timeframes and guards keep us from trading."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from apps.console.terminal import parse_span, parse_symbols, progress
from apps.engine.profile import Profile
from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import VALIDATION, Timeframe
from apps.feed.universe import profile_universes
from apps.insight.condition_report import EVERY, ConditionCount, Report, TimeframeCount, condition_report
from apps.insight.explanation import profile_that_ran
from apps.insight.replay import require_candles
from apps.profiles import store as profiles


class Command(BaseCommand):
    help = (
        "Which conditions block most: judge the stored candles of a stretch again and count, for each "
        "condition of each timeframe, phase and side, how often it held and how often it was the only "
        "thing missing. Then which timeframe was in the way of a decision, and what was refused after "
        "READY. Examples: condition_report · condition_report --since 3d --profile regular --symbols "
        "BTCUSDT,ETHUSDT · condition_report --since 2026-05-04 --until 2026-05-05 --timeframe 5m "
        "--by-symbol --json"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", default="24h", help="30m, 24h, 3d, or a UTC time (default 24h)")
        parser.add_argument("--until", default=None, help="UTC time; absent: now")
        parser.add_argument("--profile", default=None, help="absent: every configured profile")
        parser.add_argument("--symbols", default=None, help="between commas; absent: the profile's universe")
        parser.add_argument(
            "--timeframe",
            default=None,
            choices=[timeframe.value for timeframe in VALIDATION],
            help="its conditions only",
        )
        parser.add_argument("--by-symbol", action="store_true", help="count each symbol on its own")
        parser.add_argument("--top", type=int, default=20, help="conditions shown (default 20)")
        parser.add_argument("--json", action="store_true", help="one JSON object a profile and line")

    def handle(self, *args: Any, **options: Any) -> None:
        now = datetime.now(UTC)
        try:
            start, end = parse_span(options["since"], options["until"], now)
            timeframe = options["timeframe"] and Timeframe(options["timeframe"])
            name = options["profile"]
            chosen = profiles.configured_profiles() if name is None else [profile_that_ran(name, None)]
            symbols = _symbols(options["symbols"], chosen, now)
            for profile in chosen:
                require_candles(symbols[profile.name], start, end)
            with progress("judging again", sum(map(len, symbols.values()))) as advance:
                reports = [
                    condition_report(
                        profile,
                        symbols[profile.name],
                        start,
                        end,
                        timeframe=timeframe,
                        by_symbol=options["by_symbol"],
                        advance=advance,
                    )
                    for profile in chosen
                ]
        except TradingError as fault:
            raise CommandError(str(fault)) from fault
        for report in reports:
            if options["json"]:
                self.stdout.write(json.dumps(report.to_json()))
            else:
                show(report, Console(), top=max(0, options["top"]))


def _symbols(text: str | None, chosen: Sequence[Profile], now: datetime) -> dict[str, list[str]]:
    """Return profile → the symbols between commas; without a text those of its own universe."""
    if text is not None:
        return dict.fromkeys((profile.name for profile in chosen), parse_symbols(text))
    universes = profile_universes(chosen, now)
    for name, universe in universes.items():
        universe.require_members(name)
    return {name: list(universe.members) for name, universe in universes.items()}


def show(report: Report, console: Console, *, top: int) -> None:
    """Print four tables: conditions (`top` of them), timeframes, decisions, refusals after READY."""
    console.rule(f"{report.profile} · {report.start:%Y-%m-%d %H:%M} to {report.end:%Y-%m-%d %H:%M} UTC")
    symbols = report.symbols
    shown = ", ".join(symbols) if len(symbols) <= 6 else f"{len(symbols)} symbols"
    console.print(f"{shown}, judged again by version {report.digest[:12]}", highlight=False)
    console.print(_condition_table(report.conditions[:top]))
    if len(report.conditions) > top:
        console.print(f"{len(report.conditions) - top} conditions more: --top or --json", highlight=False)
    console.print(_timeframe_table(report.timeframes))
    console.print(_count_table("What was decided, minutes × symbols", report.decisions))
    if report.unjudged:
        console.print(_count_table("Candles that could not be judged", report.unjudged))
    if report.refusals:
        console.print(_count_table("Refused after READY", report.refusals))
    else:
        console.print("\nNothing was refused after READY in this stretch.")


def _condition_table(counts: Sequence[ConditionCount]) -> Table:
    """Return one row a condition, below it each comparison of one that has several: 80 columns suffice."""
    table = _titled_table("Conditions: how often one alone was missing for its side to hold")
    table.add_column("condition", overflow="fold", ratio=1)
    for name in ("candles", "held", "unknown", "only this"):
        table.add_column(name, justify="right")
    for count in counts:
        where = (
            f"{count.timeframe} {count.phase} {count.side}{'' if count.role == 'rule' else f' {count.role}'}"
        )
        text = f"[dim]{count.symbol} {where}[/]\n{escape(count.item)}".replace("[dim] ", "[dim]")
        numbers = [_whole(count.evaluated), _share(count.held, count.evaluated), _whole(count.unknown)]
        table.add_row(text, *numbers, f"[bold]{_whole(count.only_missing)}[/]")
        for leaf in count.leaves if len(count.leaves) > 1 else ():
            held, unknown = _share(leaf.held, count.evaluated), _whole(leaf.unknown)
            table.add_row(f"[dim]· {escape(leaf.text)}[/]", "", f"[dim]{held}[/]", f"[dim]{unknown}[/]", "")
    return table


def _timeframe_table(counts: Sequence[TimeframeCount]) -> Table:
    by_symbol = any(count.symbol != EVERY for count in counts)
    table = _titled_table("Timeframes: minutes in which one was in the way of a decision")
    if by_symbol:
        table.add_column("symbol")
    table.add_column("timeframe")
    for name in ("long", "short", "neutral", "invalid", "in the way", "it alone"):
        table.add_column(name, justify="right")
    for count in sorted(counts, key=lambda count: -count.alone):
        outcomes = [_share(n, count.minutes) for n in (count.long, count.short, count.neutral, count.invalid)]
        cells = [count.symbol] if by_symbol else []
        table.add_row(
            *cells,
            f"{count.timeframe} {count.phase}",
            *outcomes,
            _whole(count.blocked),
            f"[bold]{_whole(count.alone)}[/]",
        )
    return table


def _count_table(title: str, counts: Counter[str]) -> Table:
    table = _titled_table(title, "what", Column("times", justify="right"), Column("share", justify="right"))
    for what, times in counts.most_common():
        table.add_row(what, _whole(times), _share(times, counts.total()))
    return table


def _titled_table(title: str, *columns: str | Column) -> Table:
    return Table(*columns, title=f"\n{title}", title_justify="left", title_style="bold")


def _whole(number: int) -> str:
    return f"{number:,}" if number else "·"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"
