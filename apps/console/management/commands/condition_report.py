"""manage.py condition_report: which conditions, timeframes and guards keep us from trading."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from apps.console.progress import progress
from apps.console.screens.condition_report import show
from apps.console.symbols import named
from apps.console.times import stretch
from apps.engine.profile import Profile
from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import VALIDATION, Timeframe
from apps.insight.condition_report import Report, condition_report
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
        parser.add_argument("--symbols", default=None, help="between commas; absent: every watched one")
        parser.add_argument(
            "--timeframe", default=None, choices=[one.value for one in VALIDATION], help="its conditions only"
        )
        parser.add_argument("--by-symbol", action="store_true", help="count each symbol on its own")
        parser.add_argument("--top", type=int, default=20, help="conditions shown (default 20)")
        parser.add_argument("--json", action="store_true", help="one JSON object a profile and line")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            for report in _reports(options):
                if options["json"]:
                    self.stdout.write(json.dumps(report.to_json()))
                else:
                    show(report, Console(), top=max(0, options["top"]))
        except TradingError as fault:
            raise CommandError(str(fault)) from fault


def _reports(options: dict[str, Any]) -> list[Report]:
    now = datetime.now(UTC)
    start, end = stretch(options["since"], options["until"], now)
    symbols = named(options["symbols"], now)
    require_candles(symbols, start, end)
    timeframe = None if options["timeframe"] is None else Timeframe(options["timeframe"])
    chosen = _profiles(options["profile"])
    with progress("judging again", len(symbols) * len(chosen)) as tell:
        return [
            condition_report(
                one, symbols, start, end, timeframe=timeframe, by_symbol=options["by_symbol"], advance=tell
            )
            for one in chosen
        ]


def _profiles(name: str | None) -> list[Profile]:
    return profiles.configured_profiles() if name is None else [profile_that_ran(name, None)]
