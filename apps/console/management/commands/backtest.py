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
from apps.backtest.headline import Told
from apps.backtest.outputs import write
from apps.backtest.progress import announced, outcomes
from apps.backtest.report import page
from apps.backtest.statistics import statistics
from apps.backtest.wish import Wish, wish
from apps.console.screens.backtest import show
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
            "--profile", nargs="+", metavar="P", default=settings.MTF_PROFILES, help=f"default: {_running()}"
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
        try:
            asked = wish(options)
            told = _run(asked)
            for path, text in _files(asked, told):
                write(path, text)
        except TradingError as fault:
            raise CommandError(str(fault)) from fault
        except OperationalError as fault:
            raise CommandError(f"the database does not answer: {fault}") from fault
        except OSError as fault:
            raise CommandError(f"{fault.filename}: {fault.strerror}") from fault
        except KeyboardInterrupt:
            raise CommandError("stopped; nothing was written", returncode=STOPPED) from None
        if options["json"]:
            found = summary(told, source=asked.source_name, pessimistic=asked.pessimistic)
            self.stdout.write(json.dumps(found))
        else:
            _show(asked, told)


def _run(asked: Wish) -> list[Told]:
    console = Console(stderr=True, highlight=False)
    announced(console, asked)
    return [Told(one, statistics(one)) for one in outcomes(console, asked)]


def _files(asked: Wish, told: list[Told]) -> list[tuple[Path, str]]:
    """What is to be written where, all of it made before the first is written."""
    files: list[tuple[Path, str]] = []
    if asked.csv is not None:
        files.append((asked.csv, trade_csv(one.outcome for one in told)))
    if asked.html is not None:
        candles, source = asked.source.archive.candles, SOURCES[asked.source_name]
        files.append((asked.html, page(told, candles, source=source, pessimistic=asked.pessimistic)))
    return files


def _show(asked: Wish, told: list[Told]) -> None:
    console = Console(highlight=False)
    show(console, told, pessimistic=asked.pessimistic)
    for path in (asked.csv, asked.html):
        if path is not None:
            console.print(f"written: {escape(str(path))}", soft_wrap=True)


def _running() -> str:
    return f"those that run, {', '.join(settings.MTF_PROFILES)}"
