"""manage.py switch_on: let go what a switch stopped."""

from __future__ import annotations

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.engine.values.errors import TradingError
from apps.switches import store as switches


class Command(BaseCommand):
    help = "Turn a kill switch on again. Other switches that cover the same symbol stay as they are."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key")
        parser.add_argument("--reason", required=True)
        parser.add_argument("--by", default=None, help="who does it (default: the user of this shell)")

    def handle(self, *args: Any, key: str, reason: str, **options: Any) -> None:
        try:
            switches.set_switch(key, is_on=True, reason=reason, actor=options["by"] or getpass.getuser())
        except TradingError as fault:
            raise CommandError(str(fault)) from fault
        self.stdout.write(f"{key} is on")
