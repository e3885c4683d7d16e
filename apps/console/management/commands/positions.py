"""manage.py positions: what is held, what protects it, and what the account is worth, by our books."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.table import Table

from apps.admin_base.format import duration, plain, rounded
from apps.engine.values.book import part_of
from apps.exchange import venue
from apps.insight.account_summary import Holdings, holdings


class Command(BaseCommand):
    help = (
        "Show open positions with their protection, mark price and unrealised result (and how long ago they "
        "were read), the last closed ones with what they earned and how far the market went for (MFE) and "
        "against (MAE) them, resting entries, equity and today's result."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="everything as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        held = holdings(venue.account())
        if options["json"]:
            self.stdout.write(json.dumps(held.to_json()))
        else:
            show(held)


def show(held: Holdings) -> None:
    """Print what is open, what closed last, what rests, and the money; – is unknown (yet)."""
    console = Console()
    table = Table(
        *("symbol", "side", "status", "contracts", "entry", "stop", "target", "mark", "unrealised", "read"),
        *("profile", "since (UTC)"),
    )
    now = datetime.now(UTC)
    columns = ("size", "entry_price", "stop_price", "target_price", "mark_price")
    for row in held.positions:
        age = "–" if row["marked_at"] is None else f"{(now - row['marked_at']).total_seconds():.0f} s ago"
        table.add_row(
            *(row["symbol"], row["side"], row["status"], *(plain(row[name]) for name in columns)),
            *(rounded(row["unrealised_usdt"]), age, row["profile"], f"{row['opened_at']:%m-%d %H:%M}"),
        )
    console.print(table if held.positions else "no position is open")

    if held.closed:
        table = Table(
            *("closed (UTC)", "symbol", "side", "entry", "exit", "USDT", "R"),
            *("MFE %", "MFE R", "MAE %", "MAE R", "held", "profile"),
        )
        figures = ("realised_usdt", "r_multiple", "mfe_pct", "mfe_r", "mae_pct", "mae_r")
        for row in held.closed:
            table.add_row(
                f"{row['closed_at']:%m-%d %H:%M}",
                *(row["symbol"], row["side"], plain(row["entry_price"]), plain(row["exit_price"])),
                *(rounded(row[name]) for name in figures),
                *(duration(timedelta(seconds=row["held_s"])), row["profile"]),
            )
        console.print(table)

    for row in held.resting:
        price, size = plain(row["price"]), plain(row["size"])
        part = part_of(row["tranche"], row["tranches"])
        tranche = f"tranche {part}, " if part else ""
        console.print(f"resting: {row['symbol']} {row['side']} {size} at {price}, {tranche}{row['status']}")
    worth = "unknown" if held.equity is None else f"{held.equity:.2f} USDT"
    open_now = "unknown" if held.unrealised is None else f"{held.unrealised:+.2f} USDT"
    console.print(
        f"equity {worth}; unrealised {open_now}; "
        f"today {held.realised_today:+.2f} USDT realised in {held.trades_today} trades"
    )
