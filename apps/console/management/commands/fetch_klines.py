"""manage.py fetch_klines: one answer of the venue, shown and stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from apps.engine.values.candle import Candle
from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import Timeframe
from apps.exchange import venue
from apps.feed.backfill import listed_symbols
from apps.market import store


class Command(BaseCommand):
    help = "Ask the venue for a symbol's newest closed candles, store them and show them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("symbol")
        parser.add_argument("--timeframe", default="1m", choices=[tf.value for tf in Timeframe])
        parser.add_argument("--limit", type=int, default=10, help="candles, at most one page")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        timeframe, limit = Timeframe(options["timeframe"]), options["limit"]
        if not 1 <= limit <= (most := venue.candles_per_request()):
            raise CommandError(f"--limit {limit} is not within 1 … {most}")
        end = timeframe.floor(datetime.now(UTC))
        try:
            [symbol] = listed_symbols([options["symbol"]])
            answer = venue.current().history.candles(symbol, timeframe, end - limit * timeframe.duration, end)
        except TradingError as fault:
            raise CommandError(str(fault)) from fault
        candles = answer.candles
        changed = store.save_candles(candles)
        if options["json"]:
            for candle in candles:
                self.stdout.write(json.dumps(_row(candle)))
            return
        impossible = f", {answer.refused} impossible and refused" if answer.refused else ""
        title = f"{symbol} {timeframe}: {changed} stored{impossible}"
        table = Table(*_row(candles[0]) if candles else (), title=title)
        for candle in candles:
            table.add_row(*_row(candle).values())
        Console().print(table)


def _row(candle: Candle) -> dict[str, str]:
    return {
        "open_time": f"{candle.open_time:%Y-%m-%dT%H:%MZ}",
        "open": str(candle.open),
        "high": str(candle.high),
        "low": str(candle.low),
        "close": str(candle.close),
        "volume": str(candle.volume),
    }
