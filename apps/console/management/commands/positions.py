"""manage.py positions: what is held, what protects it, and what the account is worth, by our books."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.table import Table

from apps.admin_base.format import plain
from apps.exchange import venue
from apps.insight.account_summary import Holdings, holdings


class Command(BaseCommand):
    help = (
        "Show open positions with their protection, the last closed ones with what they earned and how far "
        "the market went for (MFE) and against (MAE) them, resting entries, equity and today's result."
    )

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
        numbers = [plain(one[name]) for name in ("size", "entry_price", "stop_price", "target_price")]
        since = f"{one['opened_at']:%m-%d %H:%M}"
        table.add_row(one["symbol"], one["side"], one["status"], *numbers, one["profile"], since)
    console.print(table if found.positions else "no position is open")
    if found.closed:
        console.print(_closed(found.closed))
    for one in found.resting:
        price, size = plain(one["price"]), plain(one["size"])
        console.print(f"resting: {one['symbol']} {one['side']} {size} at {price}, {one['status']}")
    worth = "unknown" if found.equity is None else f"{found.equity:.2f} USDT"
    console.print(
        f"equity {worth}; today {found.realised_today:+.2f} USDT realised in {found.trades_today} trades"
    )


def _closed(rows: list[dict[str, Any]]) -> Table:
    """– is unknown: the 1m candles of its time are not all stored (yet)."""
    table = Table(
        *("closed (UTC)", "symbol", "side", "entry", "exit", "USDT", "R"),
        *("MFE %", "MFE R", "MAE %", "MAE R", "held", "profile"),
    )
    for one in rows:
        table.add_row(
            f"{one['closed_at']:%m-%d %H:%M}",
            *(one["symbol"], one["side"], plain(one["entry_price"]), plain(one["exit_price"])),
            *(_rounded(one[name]) for name in ("realised_usdt", "r_multiple")),
            *(_rounded(one[name]) for name in ("mfe_pct", "mfe_r", "mae_pct", "mae_r")),
            *(str(timedelta(seconds=int(one["held_s"]))), one["profile"]),
        )
    return table


def _rounded(value: Any) -> str:
    return "–" if value is None else f"{value:.2f}"
