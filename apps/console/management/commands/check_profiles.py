"""check_profiles: which profiles are good, what they would do, and what is wrong or odd about the others."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table
from rich.text import Text

from apps.engine.profile.lint import Severity
from apps.profiles.checks import ProfileCheck, check_profiles
from apps.profiles.files import profile_names

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


class Command(BaseCommand):
    help = (
        "Check profile files: faults that keep a profile from loading, and findings of the linter about one "
        "that loads: rules that can never or always hold, that contradict or repeat each other, sides that "
        "can never be agreed or entered, times, stops and risks that do not fit together. Exit code 1 on "
        "faults and errors."
    )
    requires_system_checks = ()  # it says the same itself, also as JSON

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="profiles; default: every file there is")
        parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
        parser.add_argument("--fail-on-warnings", action="store_true", help="exit code 1 on warnings too")

    def handle(self, *_args: Any, **options: Any) -> None:
        directory = settings.MTF_PROFILES_DIR
        names = list(dict.fromkeys(options["names"])) or profile_names(directory)
        checked = check_profiles(directory, names)
        if options["json"]:
            content = {
                "profiles": [
                    {
                        "name": profile.name,
                        "validation_mode": profile.validation_mode,
                        "context_timeframes": list(profile.context_timeframes),
                        "execution_timeframes": list(profile.execution_timeframes),
                        "timeframes": list(profile.timeframes),
                        "grace_s": profile.grace_s,
                        "digest": profile.digest,
                        "conditions": list(profile.content["conditions"]),
                        "indicators": [extra.name for extra in profile.used_indicators.values()],
                    }
                    for profile in checked.profiles
                ],
                "faults": list(checked.faults),
                "findings": [
                    {"file": each.file, "path": each.path, "severity": each.severity, "text": each.text}
                    for each in checked.findings
                ],
            }
            self.stdout.write(json.dumps(content, indent=2))
        else:
            self._show(checked)
        errors = sum(remark.severity == Severity.ERROR for remark in checked.remarks)
        warnings = len(checked.remarks) - errors
        if errors or (warnings and options["fail_on_warnings"]):
            raise CommandError(f"errors: {errors}, warnings: {warnings}, profiles: {len(names)}")

    def _show(self, checked: ProfileCheck) -> None:
        """Print as wide as the terminal and in its colours; 120 wide and plain for anything else."""
        profiles = Table("name", "mode", "context → execution", "digest", "conditions")
        for profile in checked.profiles:
            path = f"{' '.join(profile.context_timeframes)} → {' '.join(profile.execution_timeframes)}"
            conditions = str(len(profile.content["conditions"]))
            profiles.add_row(profile.name, profile.validation_mode, path, profile.digest[:12], conditions)
        remarks = Table(show_lines=True)
        for name in ("file", "path", "severity", "text"):
            remarks.add_column(name, overflow="fold")
        for remark in checked.remarks:
            severity = Text(remark.severity, style=COLOURS[remark.severity])
            remarks.add_row(Text(remark.file), Text(remark.path), severity, Text(remark.text))

        terminal = self.stdout.isatty()
        console = Console(width=None if terminal else 120, force_terminal=terminal)
        with console.capture() as capture:
            if checked.profiles:
                console.print(profiles)
            console.print(remarks if checked.remarks else "no faults, no findings")
        self.stdout.write(capture.get())
