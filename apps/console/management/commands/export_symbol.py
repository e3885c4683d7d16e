"""manage.py export_symbol: everything around a moment of one symbol, as one JSON document."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.console.terminal import parse_duration, parse_moment
from apps.engine.values.errors import TradingError
from apps.insight.export import export


class Command(BaseCommand):
    help = (
        "Write everything that is known of a symbol around a minute as one JSON document: candles, "
        "indicators, every profile's verdicts with their leaves, signals, audit, runs, plans, orders, "
        "fills, positions, events, switches and what people did. Its keys: docs/export.md. It holds no "
        'keys and no passwords. Examples: export_symbol BTCUSDT "2026-05-04 12:31" --out btc.json · '
        'export_symbol BTCUSDT "2026-05-04 12:31" --window 30m | less'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("symbol")
        parser.add_argument("at", help="UTC minute, ISO or 'Y-m-d H:M'")
        parser.add_argument(
            "--window", default="3h", help="how far before and after: 30m, 3h, 1d (default 3h)"
        )
        parser.add_argument("--out", type=Path, default=None, help="a file; absent: standard output")

    def handle(self, *args: Any, symbol: str, at: str, out: Path | None, **options: Any) -> None:
        try:
            document = export(symbol, parse_moment(at), parse_duration(options["window"]), datetime.now(UTC))
        except TradingError as fault:
            raise CommandError(str(fault)) from fault
        text = json.dumps(document, indent=1, ensure_ascii=False)
        if out is None:
            self.stdout.write(text)
            return
        try:
            out.write_text(text + "\n", encoding="utf-8")
        except OSError as fault:
            raise CommandError(f"cannot write {out}: {fault.strerror}") from fault
        self.stderr.write(
            f"{out}: {len(text) / 1e6:.1f} MB of {symbol} from {document['from']} to {document['to']}"
        )
