"""check_profiles: which profiles are good, what they would do, and every fault of those that are not."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from apps.engine.profile import Profile, ProfileError
from apps.profiles.files import available, load_all


class Command(BaseCommand):
    help = "Check profile files and show their effective values. Exit code 1 when one has a fault."
    requires_system_checks = ()  # it says the same faults itself, also as JSON

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="profiles; default: every file there is")
        parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")

    def handle(self, *_args: Any, **options: Any) -> None:
        directory = settings.MTF_PROFILES_DIR
        names = list(dict.fromkeys(options["names"])) or available(directory)
        profiles: list[Profile] = []
        faults: tuple[str, ...] = ()
        try:
            profiles = load_all(directory, names)
        except ProfileError as error:
            faults = error.faults
        if options["json"]:
            rows = [_row(profile) for profile in profiles]
            self.stdout.write(json.dumps({"profiles": rows, "faults": list(faults)}, indent=2))
        elif profiles:
            self.stdout.write(_drawn(profiles))
        if faults:
            raise CommandError("\n".join(faults))


def _row(profile: Profile) -> dict[str, Any]:
    return {
        "name": profile.name,
        "validation_mode": profile.validation_mode,
        "context_timeframes": list(profile.context_timeframes),
        "execution_timeframes": list(profile.execution_timeframes),
        "timeframes": list(profile.timeframes),
        "grace_s": profile.grace_s,
        "digest": profile.digest,
        "conditions": list(profile.content["conditions"]),
    }


def _drawn(profiles: list[Profile]) -> str:
    table = Table("name", "mode", "context → execution", "digest", "conditions used", show_lines=True)
    for profile in profiles:
        path = f"{' '.join(profile.context_timeframes)} → {' '.join(profile.execution_timeframes)}"
        conditions = ", ".join(profile.content["conditions"])
        table.add_row(profile.name, profile.validation_mode, path, profile.digest[:12], conditions)
    console = Console(width=120)
    with console.capture() as capture:
        console.print(table)
    return capture.get()
