"""manage.py divergence: was decided live what the stored candles say now?"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich import box
from rich.console import Console
from rich.table import Table

from apps.console.terminal import parse_span, parse_symbols, progress
from apps.engine.values.errors import TradingError
from apps.insight.divergence import NO_RUN, Divergence, Kind, find_divergence
from apps.profiles import store as profiles

KINDS = {
    Kind.LATE_CANDLE: "a candle came late",
    Kind.CORRECTED_CANDLE: "a candle was corrected",
    Kind.WARM_UP: "an indicator had not settled",
    Kind.UNEXPLAINED: "[bold red]unexplained[/]",
}
NOT_COMPARABLE = {
    NO_RUN: "no run judged the minute",
    "lost": "the run was lost",
    "failed": "the run failed",
    "skipped": "the run was skipped",
    "running": "the run has not ended",
    "kill_switch": "a kill switch stood before the verdict",
    "not_watched": "the symbol was not watched",
    "version_not_kept": "the profile version that ran is not kept or cannot be read",
}


class Command(BaseCommand):
    help = (
        "Compare, minute by minute, what was decided live with what a replay of the stored candles "
        "decides now, by the profile version that ran. Each difference is told with its probable reason "
        "(a candle that came late or was corrected, an indicator still settling); the exit code is 1 when"
        ' one has none. Examples: divergence · divergence --from "2026-05-04 00:00" --to 2026-05-05 '
        "--profile regular · divergence --from 6h --symbols BTCUSDT,ETHUSDT --json"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="since", default="24h", help="30m, 24h, 3d or a UTC time (24h)")
        parser.add_argument("--to", dest="until", default=None, help="UTC time; absent: now")
        parser.add_argument("--profile", default=None, help="absent: every configured profile")
        parser.add_argument("--symbols", default=None, help="between commas; absent: all that were judged")
        parser.add_argument("--top", type=int, default=50, help="differences shown (default 50)")
        parser.add_argument("--json", action="store_true", help="one JSON object a profile and line")

    def handle(self, *args: Any, **options: Any) -> None:
        now = datetime.now(UTC)
        try:
            start, end = parse_span(options["since"], options["until"], now)
            symbols = None if options["symbols"] is None else parse_symbols(options["symbols"])
            names = [options["profile"]]
            if not options["profile"]:
                names = [profile.name for profile in profiles.configured_profiles()]
            with progress("replaying", None if symbols is None else len(symbols) * len(names)) as advance:
                results = [find_divergence(name, symbols, start, end, advance) for name in names]
        except TradingError as fault:
            raise CommandError(str(fault)) from fault
        for divergence in results:
            if options["json"]:
                self.stdout.write(json.dumps(divergence.to_json()))
            else:
                show(divergence, Console(), top=max(0, options["top"]))
        if unexplained := sum(divergence.unexplained for divergence in results):
            raise CommandError(f"unexplained differences: {unexplained}")


def show(divergence: Divergence, console: Console, *, top: int) -> None:
    """Print the comparison for people: the answer first, then the first `top` differences."""
    start, end = divergence.start, divergence.end
    console.rule(f"{divergence.profile} · {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC")
    different = len(divergence.differences)
    compared = divergence.equal + different
    symbols, minutes = len(divergence.symbols), divergence.runs["decided"]
    decisions = f"{compared:,} decisions of {symbols} symbols in {minutes:,} minutes"
    if not compared:
        runs = divergence.runs.most_common()
        became = ", ".join(f"{n:,} {'never began' if what == NO_RUN else what}" for what, n in runs)
        answer = f"nothing can be compared; runs of these minutes: {became}"
    elif not different:
        answer = f"[bold green]equal[/]: all {decisions}"
    else:
        answer = f"{divergence.equal:,} of {decisions} are equal"
    console.print(answer, highlight=False)
    for kind, count in divergence.kinds.most_common():
        console.print(f"  {count:,} different: {KINDS[Kind(kind)]}", highlight=False)
    for what, count in divergence.not_comparable.most_common():
        console.print(f"  {count:,} not comparable: {NOT_COMPARABLE[what]}", highlight=False)

    if different:
        table = Table("minute", "symbol", "live, replay, why", box=box.SIMPLE_HEAD)
        for each in divergence.differences[:top]:
            text = f"live    {each.live}\nreplay  {each.replay}\n[dim]{KINDS[each.kind]}: {each.why}[/]"
            table.add_row(f"{each.minute:%m-%d %H:%M}", each.symbol, text)
        console.print(table)
    if different > top:
        console.print(f"{different - top} differences more: --top or --json", highlight=False)
