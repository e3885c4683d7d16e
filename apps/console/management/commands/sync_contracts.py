"""manage.py sync_contracts: the venue's contracts into the market room."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from apps.engine.values.errors import TradingError
from apps.exchange import venue
from apps.feed.universe import sync_contracts, watched_symbols
from apps.market import store
from apps.profiles.store import configured_profiles


class Command(BaseCommand):
    help = (
        "Fetch every contract of the venue (sizes, ticks, limits, 24 h figures) and say how many are watched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        now = datetime.now(UTC)
        try:
            store.stamp_venue(venue.name())
            listed = sync_contracts(venue.current().history, now)
            watched = watched_symbols(configured_profiles(), now)
        except TradingError as fault:
            raise CommandError(str(fault)) from fault
        if options["json"]:
            self.stdout.write(json.dumps({"venue": venue.name(), "contracts": listed, "watched": watched}))
            return
        Console().print(f"{venue.name()}: {listed} contracts, {len(watched)} watched: {', '.join(watched)}")
