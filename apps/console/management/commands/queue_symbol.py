"""manage.py queue_symbol: have a symbol judged once, whatever a profile's universe says of it."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.engine.values.contract import require_listed
from apps.engine.values.errors import TradingError, suggestion
from apps.exchange import venue
from apps.market import store as market
from apps.profiles.store import configured_profiles
from apps.switches import queue


class Command(BaseCommand):
    help = (
        "Mark a symbol to be judged once by a profile that runs each minute, at the next minute whose "
        "candles allow a verdict, even when the profile's universe leaves it out; what is READY is entered "
        "like any other. Kill switches hold. A mark that finds no candles ends after an hour. "
        'Example: queue_symbol NEWUSDT --profile regular --reason "first look at the listing"'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("symbol")
        parser.add_argument("--profile", required=True, help="one of MTF_PROFILES")
        parser.add_argument("--reason", required=True)
        parser.add_argument("--by", default=None, help="who does it (default: the user of this shell)")

    def handle(self, *args: Any, symbol: str, profile: str, reason: str, **options: Any) -> None:
        now = datetime.now(UTC)
        try:
            require_listed([symbol], [contract.symbol for contract in market.contracts()])
            names = [each.name for each in configured_profiles()]
            if profile not in names:
                near = suggestion(profile, names)
                raise CommandError(
                    f"{profile!r} does not run here: MTF_PROFILES has {', '.join(names)}{near}"
                )
            asked_by = options["by"] or getpass.getuser()
            queue.add_mark(venue.account(), symbol, profile, asked_by=asked_by, reason=reason, now=now)
        except TradingError as fault:
            raise CommandError(str(fault)) from fault
        self.stdout.write(f"{symbol} is judged once by {profile}, from the next minute on")
