"""The comparison for people: the answer first, then each difference."""

from __future__ import annotations

from collections import Counter

from rich import box
from rich.console import Console
from rich.table import Table

from apps.insight.divergence import Divergence, Kind

WORDS = {
    Kind.LATE_CANDLE: "a candle came late",
    Kind.CORRECTED_CANDLE: "a candle was corrected",
    Kind.WARM_UP: "an indicator had not settled",
    Kind.UNEXPLAINED: "[bold red]unexplained[/]",
}
RUNS = {"no_run": "never began"}
NOT_COMPARABLE = {
    "no_run": "no run judged the minute",
    "lost": "the run was lost",
    "failed": "the run failed",
    "skipped": "the run was skipped",
    "running": "the run has not ended",
    "kill_switch": "a kill switch stood before the verdict",
    "not_watched": "the symbol was not watched",
    "version_not_kept": "the profile version that ran is not kept or cannot be read",
}


def show(found: Divergence, console: Console, *, top: int) -> None:
    console.rule(f"{found.profile} · {found.start:%Y-%m-%d %H:%M} to {found.end:%Y-%m-%d %H:%M} UTC")
    console.print(_answer(found), highlight=False)
    for kind, count in found.kinds.most_common():
        console.print(f"  {count:,} different: {WORDS[Kind(kind)]}", highlight=False)
    for line in _lines(found.not_comparable):
        console.print(line, highlight=False)
    if found.differences:
        console.print(_differences(found, top))
    if len(found.differences) > top:
        console.print(f"{len(found.differences) - top} differences more: --top or --json", highlight=False)


def _answer(found: Divergence) -> str:
    compared = found.equal + len(found.differences)
    if not compared:
        minutes = ", ".join(f"{count:,} {RUNS.get(what, what)}" for what, count in found.runs.most_common())
        return f"nothing can be compared; runs of these minutes: {minutes}"
    over = f"{compared:,} decisions of {len(found.symbols)} symbols in {found.runs['decided']:,} minutes"
    if not found.differences:
        return f"[bold green]equal[/]: all {over}"
    return f"{found.equal:,} of {over} are equal"


def _lines(counts: Counter[str]) -> list[str]:
    return [f"  {count:,} not comparable: {NOT_COMPARABLE[what]}" for what, count in counts.most_common()]


def _differences(found: Divergence, top: int) -> Table:
    table = Table("minute", "symbol", "live, replay, why", box=box.SIMPLE_HEAD)
    for one in found.differences[:top]:
        told = f"live    {one.live}\nreplay  {one.replay}\n[dim]{WORDS[one.kind]}: {one.why}[/]"
        table.add_row(f"{one.minute:%m-%d %H:%M}", one.symbol, told)
    return table
