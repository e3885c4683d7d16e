"""manage.py backtest: what a profile would have earned."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.db import OperationalError
from rich.console import Console
from rich.markup import escape

from apps.backtest.export import summary, trade_csv
from apps.backtest.headline import BacktestResult
from apps.backtest.output_files import write_file
from apps.backtest.report import page
from apps.backtest.request import read_request
from apps.backtest.statistics import statistics
from apps.console.screens.backtest import announce_request, run_profiles, show
from apps.engine.values.errors import TradingError

HELP = """\
Replay the past with the code that trades: every minute is judged by the profile's rules, and what is READY is
entered, filled, protected and closed on one simulated account. Nothing is sent anywhere.

examples:
  backtest --profile classic                       the whole recorded market, all its symbols
  backtest --profile scalper regular crash         several side by side
  backtest --profile regular --symbols BTCUSDT ETHUSDT --from 2025-05-12 --to "2025-05-19 12:00"
  backtest --profile classic --html report.html    every trade on a chart, in one file
  backtest --profile classic --pessimistic         what a candle leaves open goes against you
  backtest --profile classic --source db --from 2026-11-01       the candles of the database
  backtest --profile mine --profiles-dir ~/strategies --json > mine.json
"""
AFTER = "What is modelled and what is not, and what each figure means: docs/backtesting.md"
STOPPED = 130
"""What a shell expects of a program that Ctrl-C ended."""
SOURCES = {"files": "the recorded market", "db": "the database"}


class Layout(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """The help text as it is written, our options before Django's."""


class Command(BaseCommand):
    help = HELP
    requires_system_checks = ()  # it checks the profiles it runs itself, wherever they lie

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, epilog=AFTER, formatter_class=Layout, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--profile",
            nargs="+",
            metavar="P",
            default=settings.MTF_PROFILES,
            help=f"default: those that run, {', '.join(settings.MTF_PROFILES)}",
        )
        parser.add_argument(
            "--symbols", nargs="*", metavar="S", help="contracts; default: all of the source, in its order"
        )
        parser.add_argument("--from", metavar="TIME", help="first minute, UTC; default: all there is")
        parser.add_argument("--to", metavar="TIME", help="where it ends, UTC: this minute is not part of it")
        parser.add_argument(
            "--source",
            choices=SOURCES,
            default="files",
            help="the shipped recorded market, or stored candles",
        )
        parser.add_argument("--equity", metavar="USDT", default="1000", help="at the start; default 1000")
        parser.add_argument(
            "--pessimistic", action="store_true", help="what a candle leaves open goes against you"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
        parser.add_argument("--csv", metavar="FILE", help="write one row a trade")
        parser.add_argument("--html", metavar="FILE", help="write the report, one file that needs no network")
        parser.add_argument(
            "--profiles-dir", metavar="DIR", default=settings.MTF_PROFILES_DIR, help="where the profiles lie"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        progress = Console(stderr=True, highlight=False)
        try:
            request = read_request(options)
            announce_request(progress, request)
            outcomes = run_profiles(progress, request)
            results = [BacktestResult(outcome, statistics(outcome)) for outcome in outcomes]
            # All of it is made before the first is written.
            files: dict[Path, str] = {}
            if request.csv is not None:
                files[request.csv] = trade_csv(result.outcome for result in results)
            if request.html is not None:
                candles, source = request.source.archive.candles, SOURCES[request.source_name]
                files[request.html] = page(results, candles, source=source, pessimistic=request.pessimistic)
            for path, text in files.items():
                write_file(path, text)
        except TradingError as fault:
            raise CommandError(str(fault)) from fault
        except OperationalError as fault:
            raise CommandError(f"the database does not answer: {fault}") from fault
        except OSError as fault:
            raise CommandError(f"{fault.filename}: {fault.strerror}") from fault
        except KeyboardInterrupt:
            raise CommandError("stopped; nothing was written", returncode=STOPPED) from None
        if options["json"]:
            whole = summary(results, source=request.source_name, pessimistic=request.pessimistic)
            self.stdout.write(json.dumps(whole))
            return
        console = Console(highlight=False)
        show(console, results, pessimistic=request.pessimistic)
        for path in files:
            console.print(f"written: {escape(str(path))}", soft_wrap=True)
