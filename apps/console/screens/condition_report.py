"""The report for people: what blocks most first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from apps.insight.condition_report import EVERY, ConditionCount, Report, TimeframeCount


def show(report: Report, console: Console, *, top: int) -> None:
    """Four tables: conditions (`top` of them), timeframes, decisions, refusals after READY."""
    console.rule(f"{report.profile} · {report.start:%Y-%m-%d %H:%M} to {report.end:%Y-%m-%d %H:%M} UTC")
    symbols = report.symbols
    shown = ", ".join(symbols) if len(symbols) <= 6 else f"{len(symbols)} symbols"
    console.print(f"{shown}, judged again by version {report.digest[:12]}", highlight=False)
    console.print(_conditions(report.conditions[:top]))
    if len(report.conditions) > top:
        console.print(f"{len(report.conditions) - top} conditions more: --top or --json", highlight=False)
    console.print(_timeframes(report.timeframes))
    console.print(_counts("What was decided, minutes × symbols", report.decisions))
    if report.unjudged:
        console.print(_counts("Candles that could not be judged", report.unjudged))
    if report.refusals:
        console.print(_counts("Refused after READY", report.refusals))
    else:
        console.print("\nNothing was refused after READY in this stretch.")


def _conditions(counts: Sequence[ConditionCount]) -> Table:
    """One row a condition, below it each comparison of one that has several; narrow: 80 columns suffice."""
    table = _titled("Conditions: how often one alone was missing for its side to hold")
    table.add_column("condition", overflow="fold", ratio=1)
    for name in ("candles", "held", "unknown", "only this"):
        table.add_column(name, justify="right")
    for one in counts:
        where = f"{one.timeframe} {one.phase} {one.side}{'' if one.role == 'rule' else f' {one.role}'}"
        named = f"[dim]{one.symbol} {where}[/]\n{escape(one.item)}".replace("[dim] ", "[dim]")
        numbers = [_whole(one.evaluated), _share(one.held, one.evaluated), _whole(one.unknown)]
        table.add_row(named, *numbers, f"[bold]{_whole(one.only_missing)}[/]")
        for leaf in one.leaves if len(one.leaves) > 1 else ():
            held, unknown = _share(leaf.held, one.evaluated), _whole(leaf.unknown)
            table.add_row(f"[dim]· {escape(leaf.text)}[/]", "", f"[dim]{held}[/]", f"[dim]{unknown}[/]", "")
    return table


def _timeframes(counts: Sequence[TimeframeCount]) -> Table:
    by_symbol = any(one.symbol != EVERY for one in counts)
    table = _titled("Timeframes: minutes in which one was in the way of a decision")
    if by_symbol:
        table.add_column("symbol")
    table.add_column("timeframe")
    for name in ("long", "short", "neutral", "invalid", "in the way", "it alone"):
        table.add_column(name, justify="right")
    for one in sorted(counts, key=lambda one: -one.alone):
        outcomes = [_share(n, one.minutes) for n in (one.long, one.short, one.neutral, one.invalid)]
        cells = [one.symbol] if by_symbol else []
        table.add_row(
            *cells,
            f"{one.timeframe} {one.phase}",
            *outcomes,
            _whole(one.blocked),
            f"[bold]{_whole(one.alone)}[/]",
        )
    return table


def _counts(title: str, counts: Counter[str]) -> Table:
    table = _titled(title, "what", Column("times", justify="right"), Column("share", justify="right"))
    for what, times in counts.most_common():
        table.add_row(what, _whole(times), _share(times, counts.total()))
    return table


def _titled(title: str, *columns: str | Column) -> Table:
    return Table(*columns, title=f"\n{title}", title_justify="left", title_style="bold")


def _whole(number: int) -> str:
    return f"{number:,}" if number else "·"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"
