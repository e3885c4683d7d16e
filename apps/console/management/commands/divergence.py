"""manage.py divergence: was decided live what the stored candles say now?"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from apps.console.progress import progress
from apps.console.screens.divergence import show
from apps.console.symbols import named
from apps.console.times import stretch
from apps.engine.values.errors import TradingError
from apps.insight.divergence import Divergence, find_divergence
from apps.profiles import store as profiles


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
        try:
            found = _found(options)
        except TradingError as fault:
            raise CommandError(str(fault)) from fault
        for one in found:
            if options["json"]:
                self.stdout.write(json.dumps(one.to_json()))
            else:
                show(one, Console(), top=max(0, options["top"]))
        if unexplained := sum(one.unexplained for one in found):
            raise CommandError(f"unexplained differences: {unexplained}")


def _found(options: dict[str, Any]) -> list[Divergence]:
    now = datetime.now(UTC)
    start, end = stretch(options["since"], options["until"], now)
    symbols = None if options["symbols"] is None else named(options["symbols"], now)
    names = (
        [options["profile"]] if options["profile"] else [one.name for one in profiles.configured_profiles()]
    )
    with progress("replaying", None if symbols is None else len(symbols) * len(names)) as tell:
        return [find_divergence(name, symbols, start, end, tell) for name in names]
