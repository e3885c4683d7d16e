"""manage.py switch_off: stop new orders, everywhere or for what a key names."""

from __future__ import annotations

import getpass
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.engine.values.errors import TradingError
from apps.mtf.targets import unknown_target
from apps.switches import store as switches

UNITS = {"m": "minutes", "h": "hours", "d": "days"}


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
        until = None if options["lasts"] is None else datetime.now(UTC) + _duration(options["lasts"])
        try:
            if (unknown := unknown_target(key)) is not None:
                raise CommandError(unknown)
            actor = options["by"] or getpass.getuser()
            switches.set_switch(key, is_on=False, reason=reason, actor=actor, expires_at=until)
        except (TradingError, ValueError) as fault:
            raise CommandError(str(fault)) from fault
        lasts = "until it is turned on" if until is None else f"until {until:%Y-%m-%d %H:%M} UTC"
        self.stdout.write(f"{key} is off {lasts}")


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"([1-9]\d{0,4})([mhd])", text)
    if found is None:
        raise CommandError(f"--for {text!r} is not a duration like 30m, 4h or 2d")
    return timedelta(**{UNITS[found[2]]: int(found[1])})
