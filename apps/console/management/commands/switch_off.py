"""manage.py switch_off: stop new orders, everywhere or for what a key names."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.console.terminal import BadTime, parse_duration
from apps.engine.values.errors import TradingError
from apps.insight.switch_target import unknown_target
from apps.switches import store as switches


class Command(BaseCommand):
    help = (
        "Turn a kill switch off: nothing it covers is opened any more and its resting entries are cancelled; "
        "positions stay protected. Keys: GLOBAL, PROFILE:regular, SYMBOL:BTCUSDT, SYMBOL_TF:BTCUSDT:5m. "
        'Example: switch_off GLOBAL --for 4h --reason "news at noon"'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key")
        parser.add_argument("--reason", required=True)
        parser.add_argument(
            "--for", dest="lasts", default=None, help="30m, 4h or 2d; absent: until turned on"
        )
        parser.add_argument("--by", default=None, help="who does it (default: the user of this shell)")

    def handle(self, *args: Any, key: str, reason: str, **options: Any) -> None:
        until = None
        try:
            if options["lasts"] is not None:
                until = datetime.now(UTC) + parse_duration(options["lasts"])
        except BadTime as fault:
            raise CommandError(f"--for {fault}") from fault
        try:
            if (unknown := unknown_target(key)) is not None:
                raise CommandError(unknown)
            actor = options["by"] or getpass.getuser()
            switches.set_switch(key, is_on=False, reason=reason, actor=actor, expires_at=until)
        except (TradingError, ValueError) as fault:
            raise CommandError(str(fault)) from fault
        lasts = "until it is turned on" if until is None else f"until {until:%Y-%m-%d %H:%M} UTC"
        self.stdout.write(f"{key} is off {lasts}")
