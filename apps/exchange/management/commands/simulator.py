"""manage.py simulator: the local exchange, alone in its process. It touches no database."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.engine.values.errors import TradingError
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market import state
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.server import PLAY_KEYS, Key, address_of, listen, serve

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
        parser.add_argument(
            "--balance", type=Decimal, help="USDT that the account begins with (default 1000)"
        )
        parser.add_argument(
            "--key",
            type=Key.parse,
            action="append",
            help="an API key instead of the play ones, KEY:SECRET:MEMO or KEY:SECRET:MEMO:STANDING (trade, "
            "read, frozen, expired, elsewhere); may be repeated (default: the one in BITMART_API_KEY, "
            "BITMART_SECRET_KEY and BITMART_API_MEMO, else simulator:simulator-secret:simulator)",
        )
        parser.add_argument("--no-limits", action="store_true", help="do not enforce request limits")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            listener = listen(options["host"], options["port"])
            with listener:
                exchange, text = _open_exchange(options)
                self.stdout.write(f"simulator at {address_of(listener)} plays {text}")
                self.stdout.flush()
                keys = options["key"] or PLAY_KEYS
                if not options["key"] and settings.BITMART_API_KEY:
                    keys = (
                        Key(settings.BITMART_API_KEY, settings.BITMART_SECRET_KEY, settings.BITMART_API_MEMO),
                        *PLAY_KEYS,
                    )
                serve(exchange, listener, limits=not options["no_limits"], keys=keys)
                exchange.close()
        except (TradingError, ValueError) as fault:
            raise CommandError(str(fault)) from fault
        self.stdout.write("simulator ended")


def _open_exchange(options: dict[str, Any]) -> tuple[Exchange, str]:
    now = datetime.now(UTC)
    market_state = state.open_state(options["state"], now=now, day=options["day"], seed=options["seed"])
    archive = Archive.open(market_state, symbols=options["symbols"])
    where = f"kept in {options['state']}" if options["state"] else "kept nowhere (no --state)"
    played = f"day {market_state.day} of the tape on {market_state.first_day}, seed {market_state.seed}"
    books = options["state"].with_suffix(".books") if options["state"] else None
    exchange = Exchange.open(
        Market(archive, market_state.seed),
        int(now.timestamp() * 1000),
        path=books,
        name=played,
        balance=options["balance"],
    )
    delisted = len(exchange.market.symbols) - len(archive.symbols)
    also = f" and {delisted} delisted ones that the books mention" if delisted else ""
    return exchange, f"{len(archive.symbols)} contracts{also}, {played}, {where}"
