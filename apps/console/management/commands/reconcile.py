"""manage.py reconcile: our books beside the exchange's, now. It only looks; `watch` puts things right."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pydantic_core import to_jsonable_python
from rich.console import Console

from apps.engine.cycle import observe, read_account
from apps.engine.follow.reconcile import compare
from apps.engine.ports.account import BrokerRejected, BrokerUnavailable, BrokerUnknown
from apps.exchange import venue
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
    broker, constraints = venue.current().broker, venue.current().constraints
    view = read_account(broker, lambda: datetime.now(UTC))
    if view.faults:
        raise view.faults[0]
    symbols = sorted({*orders.active_symbols(account), *view.shown()})
    differing = {}
    for symbol in symbols:
        book = orders.book(account, symbol, now)
        seen, faults = observe(
            broker,
            book,
            view.book(symbol),
            constraints=constraints,
            clock=lambda: datetime.now(UTC),
            trades=True,
        )
        if faults:
            raise faults[0]
        comparison = compare(book, orders.round_book(seen), now)
        values = {field.name: getattr(comparison, field.name) for field in fields(comparison)}
        if differences := {name: value for name, value in values.items() if value}:
            differing[symbol] = differences
    return symbols, differing
