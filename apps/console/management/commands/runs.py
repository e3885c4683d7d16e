"""manage.py runs: the latest runs, each new one as it ends, and what became of their orders."""

from __future__ import annotations

import json
import time
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandParser
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Model, QuerySet
from rich.console import Console

from apps.audit.models import TradeLifecycleEvent
from apps.console.event_line import event_line
from apps.exchange import venue
from apps.live.enter.outcome import counts_text, outcome_counts
from apps.live.models import MtfRun, RunStatus, Trigger

COLOURS = {
    RunStatus.DECIDED: "green",
    RunStatus.RUNNING: "cyan",
    RunStatus.FAILED: "bold red",
    RunStatus.LOST: "bold red",
    RunStatus.SKIPPED: "yellow",
}
POLL_S = 1.0

Row = TypeVar("Row", bound=Model)


class Command(BaseCommand):
    help = (
        "Show the latest minute runs, oldest first; with --follow each new one as it ends, and what happens "
        "to orders and positions in between."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, default=10, help="how many of the past")
        parser.add_argument("--follow", action="store_true", help="go on until Ctrl-C")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, limit: int, follow: bool, **options: Any) -> None:
        ended = MtfRun.objects.filter(trigger=Trigger.BEAT).exclude(status=RunStatus.RUNNING)
        last = 0
        for run in reversed(ended.order_by("-id")[: max(0, limit)]):
            self._show(run, as_json=options["json"])
            last = max(last, run.pk)
        try:
            if follow:
                self._follow(last, ended, as_json=options["json"])
        except KeyboardInterrupt:
            return

    def _follow(self, last_run: int, ended: QuerySet[MtfRun], *, as_json: bool) -> None:
        """Show each new run, and between them, for people, what happens to their orders."""
        events = TradeLifecycleEvent.objects.filter(account=venue.account())
        newest = events.order_by("id").last()
        last_event = 0 if newest is None else newest.pk
        while True:
            for run in _rows_after(last_run, ended):
                self._show(run, as_json=as_json)
                last_run = run.pk
            for event in () if as_json else _rows_after(last_event, events):
                line = event_line(event)
                if line is not None:
                    Console(soft_wrap=True, highlight=False).print(line)
                last_event = event.pk
            time.sleep(POLL_S)

    def _show(self, run: MtfRun, *, as_json: bool) -> None:
        if not as_json:
            Console(soft_wrap=True).print(run_line(run))
            return
        content = {
            "run_id": str(run.run_id),
            "profile": run.profile,
            "minute": run.minute.isoformat(),
            "status": run.status,
            "counts": run.counts,
            "entries": outcome_counts([run])[run.run_id],
            "timings": run.timings,
            "error": run.error,
        }
        self.stdout.write(json.dumps(content))


def _rows_after(last: int, rows: QuerySet[Row]) -> list[Row]:
    """Return the rows after `last`; none while the database is away, which whoever follows outlives."""
    try:
        return list(rows.filter(pk__gt=last).order_by("id"))
    except (OperationalError, InterfaceError):
        connection.close()
        return []


def run_line(run: MtfRun) -> str:
    """Return one run in one line of rich markup."""
    colour = COLOURS[RunStatus(run.status)]
    head = f"{run.minute:%H:%M} {run.profile:<14} [{colour}]{run.status}[/]"
    if run.status != RunStatus.DECIDED:
        return f"{head} {run.error}"
    by_cause = sorted(run.counts["by_cause"].items(), key=lambda pair: -pair[1])
    causes = ", ".join(f"{count} {cause}" for cause, count in by_cause[:3])
    took = run.timings.get("announced_to_decided_ms")
    timing = "unannounced" if took is None else f"decided {took:.0f} ms after its candles"
    entered = counts_text(outcome_counts([run])[run.run_id])
    ready = f"{run.counts['ready']} ready of {run.counts['symbols']}"
    if "contracts" in run.counts:
        ready += f" (universe {run.counts['universe']} of {run.counts['contracts']})"
    return f"{head} {ready}{f' ({entered})' if entered else ''} · {timing} · {causes}"
