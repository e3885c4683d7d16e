"""manage.py reconcile: our books beside the exchange's, now. It only looks; `watch` puts things right."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pydantic_core import to_jsonable_python
from rich.console import Console

from apps.engine.follow.reconcile import compare
from apps.engine.ports import BrokerRejected, BrokerUnavailable, BrokerUnknown
from apps.exchange import venue
from apps.live.watch.account_view import read_account
from apps.orders import store as orders


class Command(BaseCommand):
    help = (
        "Compare our orders, fills and positions with the exchange's and say where they differ; changes "
        "nothing. Exit code 1 when they differ. What just happened may differ for a moment: ask again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="symbol → differences as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            symbols, differing = _compare_books(venue.account(), datetime.now(UTC))
        except (BrokerRejected, BrokerUnavailable, BrokerUnknown) as fault:
            raise CommandError(f"the exchange's books cannot be read: {fault}") from fault
        if options["json"]:
            self.stdout.write(json.dumps(to_jsonable_python(differing)))
        else:
            console = Console()
            for symbol in symbols:
                if symbol not in differing:
                    console.print(f"{symbol}: equal")
            for symbol, differences in differing.items():
                for name, values in differences.items():
                    console.print(f"[red]{symbol}: {name.replace('_', ' ')}[/]: {values}")
            if not symbols:
                console.print("nothing is open, here or there")
        if differing:
            raise CommandError(f"the books of {', '.join(sorted(differing))} differ")


def _compare_books(account: str, now: datetime) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """Return the symbols compared, and of those that differ what does, by name."""
    books = {symbol: orders.book(account, symbol, now) for symbol in orders.active_symbols(account)}
    traded = venue.current()
    view = read_account(
        traded.broker,
        books,
        lambda symbol: orders.book(account, symbol, now),
        constraints=traded.constraints,
        trades_of=set(books),
        now=now,
    )
    differing = {}
    for symbol, seen in view.seen.items():
        comparison = compare(books.get(symbol) or orders.book(account, symbol, now), seen)
        values = {field.name: getattr(comparison, field.name) for field in fields(comparison)}
        if differences := {name: value for name, value in values.items() if value}:
            differing[symbol] = differences
    return sorted(view.seen), differing
