"""manage.py universe: which contracts each profile judges, and why not the others."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Column, Table

from apps.engine.profile import Profile
from apps.engine.universe import Universe, exclusion_text
from apps.engine.values.errors import TradingError
from apps.insight.universe import named_universes, to_json


class Command(BaseCommand):
    help = (
        "Show which of the stored contracts a profile judges each minute, and for every other one the first "
        "filter that leaves it out, with its numbers. The numbers are the `universe` section of the profile "
        "(docs/profiles.md). MTF_SYMBOLS_TO_WATCH replaces every profile's filters; the symbols of a request "
        "(mtf_run --symbols) and queued ones (queue_symbol) pass them; kill switches hold for all of them. "
        "Exit code 1 when a universe is empty. "
        "Examples: universe · universe --profile regular · universe --json | jq .[].members"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--profile", default=None, help="absent: each of MTF_PROFILES")
        parser.add_argument("--json", action="store_true", help="a list with one JSON object a profile")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            universes = named_universes(options["profile"], datetime.now(UTC))
            if options["json"]:
                self.stdout.write(json.dumps(to_json(universes)))
            else:
                for profile, universe in universes:
                    show(profile, universe)
            for profile, universe in universes:
                universe.require_members(profile.name)
        except TradingError as fault:
            raise CommandError(str(fault)) from fault


def show(profile: Profile, universe: Universe) -> None:
    """Print the members, how many contracts each filter leaves out, and each of those with its numbers."""
    console = Console()
    counts = Counter(refusal.reason.value for refusal in universe.excluded.values()).most_common()
    reasons = ", ".join(f"{count} {reason}" for reason, count in counts) or "none left out"
    console.print(f"{profile.name}: {len(universe.members)} of {universe.contracts} contracts; {reasons}")
    console.print(", ".join(universe.members), style="green")
    if universe.excluded:
        table = Table("left out", "reason", Column("numbers", overflow="fold"))
        for symbol, refusal in universe.excluded.items():
            table.add_row(symbol, refusal.reason.value, exclusion_text(refusal))
        console.print(table)
