"""manage.py simulator: the local exchange, alone in its process. It touches no database."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.engine.values.errors import TradingError
from apps.exchange.simulator import state
from apps.exchange.simulator.archive import Archive
from apps.exchange.simulator.market import Market
from apps.exchange.simulator.server import address_of, listen, serve

DEFAULT_PORT = 8055


class Command(BaseCommand):
    help = "Serve the recorded market as a local exchange that speaks BitMart's futures protocol."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument(
            "--port", type=int, default=DEFAULT_PORT, help="0 takes a free one (default 8055)"
        )
        parser.add_argument("--symbols", type=int, default=16, help="how many contracts (default 16)")
        parser.add_argument(
            "--day", type=int, help="the day of the tape that plays first, 0 to 23 (default 12)"
        )
        parser.add_argument("--seed", type=int, help="decides what the tape leaves open (default 1)")
        parser.add_argument("--state", type=Path, help="file that keeps the market for the next start")
        parser.add_argument("--no-limits", action="store_true", help="do not enforce request limits")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            listener = listen(options["host"], options["port"])
            with listener:
                market, text = _market(options)
                self.stdout.write(f"simulator at {address_of(listener)} plays {text}")
                self.stdout.flush()
                serve(market, listener, limits=not options["no_limits"])
        except (TradingError, ValueError) as fault:
            raise CommandError(str(fault)) from fault
        self.stdout.write("simulator ended")


def _market(options: dict[str, Any]) -> tuple[Market, str]:
    kept = state.begin(options["state"], now=datetime.now(UTC), day=options["day"], seed=options["seed"])
    archive = Archive.open(kept, symbols=options["symbols"])
    where = f"kept in {options['state']}" if options["state"] else "kept nowhere (no --state)"
    played = f"day {kept.day} of the tape on {kept.first_day}, seed {kept.seed}"
    text = f"{len(archive.symbols)} contracts, {played}, {where}"
    return Market(archive, kept.seed), text
