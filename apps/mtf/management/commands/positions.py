"""manage.py positions: what is held, what protects it, and what the account is worth, by our books."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.table import Table

from apps.exchange import venue
from apps.mtf.holdings import Holdings, holdings


class Command(BaseCommand):
    help = "Show open positions with their protection, resting entries, equity and today's result."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="everything as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        found = holdings(venue.account())
        if options["json"]:
            self.stdout.write(json.dumps(found.to_json()))
        else:
            show(found)


def show(found: Holdings) -> None:
    console = Console()
    table = Table(
        "symbol", "side", "status", "contracts", "entry", "stop", "target", "profile", "since (UTC)"
    )
    for one in found.positions:
        numbers = [_plain(one[name]) for name in ("size", "entry_price", "stop_price", "target_price")]
        since = f"{one['opened_at']:%m-%d %H:%M}"
        table.add_row(one["symbol"], one["side"], one["status"], *numbers, one["profile"], since)
    console.print(table if found.positions else "no position is open")
    for one in found.resting:
        price, size = _plain(one["price"]), _plain(one["size"])
        console.print(f"resting: {one['symbol']} {one['side']} {size} at {price}, {one['status']}")
    worth = "unknown" if found.equity is None else f"{found.equity:.2f} USDT"
    console.print(
        f"equity {worth}; today {found.realised_today:+.2f} USDT realised in {found.trades_today} trades"
    )


def _plain(value: Any) -> str:
    return "–" if value is None else f"{value.normalize():f}"
