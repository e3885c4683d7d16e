"""manage.py backfill_klines: history by request, resumable."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import track

from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import Timeframe
from apps.exchange import venue
from apps.feed.backfill import backfill, backfill_pages, listed_symbols


class Command(BaseCommand):
    help = (
        "Fetch past candles. Only what is missing is asked for: stop it at any time, run it again to go on. "
        "Example: backfill_klines BTCUSDT ETHUSDT --tf 1m --days 3"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("symbols", nargs="*", help="absent: every contract that is not delisted")
        parser.add_argument("--tf", default="1m", choices=[tf.value for tf in Timeframe], help="timeframe")
        parser.add_argument("--days", type=float, default=1.0, help="how far back from now")
        parser.add_argument("--json", action="store_true", help="one JSON object, no progress bar")

    def handle(self, *args: Any, **options: Any) -> None:
        timeframe, days = Timeframe(options["tf"]), options["days"]
        if not 0 < days <= 3650:
            raise CommandError(f"--days {days:g} is not within 0 … 3650")
        try:
            symbols = listed_symbols(options["symbols"])
            pages = backfill_pages(
                symbols,
                timeframe,
                span=timedelta(days=days),
                now=datetime.now(UTC),
                page_size=venue.candles_per_request() - 2,
            )
            done = backfill(venue.current().history, pages)
            changed = sum(
                track(done, total=len(pages), description=f"{timeframe} pages", disable=options["json"])
            )
        except TradingError as fault:
            raise CommandError(f"{fault} (run it again to go on)") from fault
        if options["json"]:
            self.stdout.write(json.dumps({"symbols": len(symbols), "pages": len(pages), "stored": changed}))
            return
        Console().print(f"{len(symbols)} symbols, {len(pages)} pages, {changed} candles stored")
