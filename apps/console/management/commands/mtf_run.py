"""manage.py mtf_run: judge now, send orders only with --live, and show what came of it."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Column, Table

from apps.admin_base.format import plain
from apps.feed.models import StreamHealth
from apps.live import tasks
from apps.live.enter.outcome import result_with_entries, symbols_under_way
from apps.live.models import MtfRun, RunStatus, Trigger
from apps.live.run_request import InvalidRunRequest, RunRequest, open_requested_run, wait_for_run
from apps.live.run_state import TooManyWaiting
from apps.profiles import store as profiles

ANSWER_S = 55.0
HISTORY_S = 600.0
COLOURS = {"long": "green", "short": "red", "neutral": "dim", "invalid": "yellow"}


class Command(BaseCommand):
    help = (
        "Judge symbols now by one profile and print per symbol and timeframe what it says, and how it would "
        "be entered. The mtf worker does the work; a dry run stores nothing but its own result, --live sends "
        "orders. "
        "Examples: mtf_run · mtf_run --symbols BTCUSDT,ETHUSDT --profile regular --json"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--symbols", default=None, help="comma-separated; absent: the profile's universe")
        parser.add_argument("--profile", default=None, help="absent: the first of MTF_PROFILES")
        parser.add_argument(
            "--validation-mode", default=None, help="strict or pragmatic instead of the profile's"
        )
        parser.add_argument("--timeframe", default=None, help="the only execution timeframe to enter on")
        parser.add_argument("--force", action="store_true", help="judge past kill switches")
        kind = parser.add_mutually_exclusive_group()
        kind.add_argument("--dry-run", action="store_true", help="send nothing (the default)")
        kind.add_argument("--live", action="store_true", help="enter what is ready, by the same claims")
        parser.add_argument("--first", action="store_true", help="wait until history suffices to decide")
        parser.add_argument("--json", action="store_true", help="the whole result as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["first"]:
            self._await_history()
        names = None if options["symbols"] is None else tuple(s for s in options["symbols"].split(",") if s)
        run_request = RunRequest(
            profile=options["profile"] or profiles.configured_profiles()[0].name,
            symbols=names,
            validation_mode=options["validation_mode"],
            timeframe=options["timeframe"],
            force_run=options["force"],
            dry_run=not options["live"],
        )
        try:
            run = open_requested_run(run_request, Trigger.COMMAND, datetime.now(UTC))
        except InvalidRunRequest as fault:
            raise CommandError(f"{fault.field}: {fault}") from fault
        except TooManyWaiting as fault:
            raise CommandError(str(fault)) from fault
        tasks.run_request.apply_async(kwargs={"run_id": str(run.run_id)}, expires=ANSWER_S)
        run = wait_for_run(run.run_id, ANSWER_S) or MtfRun.objects.get(run_id=run.run_id)
        if run.status == RunStatus.RUNNING:
            raise CommandError(
                f"no answer within {ANSWER_S:.0f} s: is the mtf worker running? (run {run.run_id})"
            )
        if run.status != RunStatus.DECIDED or run.result is None:
            raise CommandError(f"run {run.run_id} {run.status}: {run.error}")
        result = result_with_entries(run)
        if options["json"]:
            self.stdout.write(json.dumps(result))
        else:
            show(result)
        if under_way := symbols_under_way(run):
            raise CommandError(
                f"decided, but what became of {', '.join(under_way)} is not known after {ANSWER_S:.0f} s: "
                f"is worker-exchange running? (run {run.run_id})"
            )

    def _await_history(self) -> None:
        """Wait for the stream to have what the profiles need, saying how far it is."""
        console = Console()
        deadline = time.monotonic() + HISTORY_S
        with console.status("history: waiting for the stream") as status:
            while time.monotonic() < deadline:
                pulse = StreamHealth.objects.first()
                history = {} if pulse is None else pulse.history
                if history.get("enough"):
                    return
                if history:
                    done = history["pages"] - history["left"]
                    status.update(f"history: {done} of {history['pages']} pages of candles")
                time.sleep(0.25)
        raise CommandError(f"the stream did not bring enough history within {HISTORY_S:.0f} s")


def show(result: dict[str, Any]) -> None:
    """Print the result as a table, a symbol a row and a timeframe a column; below it a line an entry."""
    console, symbols, summary = Console(), result["results"], result["summary"]
    judged = [f"{each['timeframe']} {each['phase']}" for each in symbols[0]["timeframes"]] if symbols else []
    title = f"{result['profile']} at {result['minute'][:16]} UTC"
    table = Table("symbol", "verdict", *judged, Column("why", overflow="fold"), title=title)
    for row in symbols:
        ready = row["status"] == "READY"
        verdict = f"[bold green]READY {row['side']}[/]" if ready else "no trade"
        outcomes = [f"[{COLOURS[each['outcome']]}]{each['outcome']}[/]" for each in row["timeframes"]]
        why = f"enter on {row['execution_tf']}" if ready else str(row["reason"])
        table.add_row(row["symbol"], verdict, *outcomes, why)
    console.print(table)
    console.print(f"{summary['symbols']} symbols, {summary['ready']} ready; {result['status']}")
    for entry in result["entries"]:
        console.print(entry_line(entry))


def entry_line(entry: dict[str, Any]) -> str:
    head = f"{entry['symbol']} {entry['side'] or ''}".rstrip() + f": {entry['status']}"
    if "size" not in entry:
        return f"{head}, {entry['reason']}"
    size, price, stop, target = (plain(entry[name]) for name in ("size", "entry", "stop", "take_profit"))
    line = f"{head} {size} contracts at {price}, stop {stop}, target {target}, leverage {entry['leverage']}"
    tranches = [
        f"{each['part']}: {plain(each['size'])} at {plain(each['price'])}"
        for each in entry.get("tranches", ())
    ]
    return f"{line} (tranches {', '.join(tranches)})" if tranches else line
