"""manage.py flatten: nothing opens any more, and everything that is open is closed."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.console import closing
from apps.engine.values.errors import TradingError
from apps.exchange import venue
from apps.live.flatten import flatten


class Command(BaseCommand):
    help = (
        "Switch GLOBAL off, then close every position of ours at market and take every resting entry back; "
        "with --foreign also what was opened by hand. GLOBAL stays off until a person turns it on "
        "(switch_on GLOBAL). The watch process closes within a second or two. Who, why and when is recorded "
        "in the admin's close requests and operator actions. Exit code 1 when it is refused, or not flat in "
        'time. Example: flatten --reason "the exchange is in trouble"'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        closing.add_arguments(parser)

    def handle(self, *args: Any, reason: str, **options: Any) -> None:
        account = venue.account()
        if not options["yes"]:
            closing.confirm("FLATTEN", f"Everything of {account} is closed at market, and GLOBAL goes off.")
        try:
            requests = flatten(
                account,
                foreign=options["foreign"],
                reason=reason,
                actor=options["by"] or getpass.getuser(),
                now=datetime.now(UTC),
            )
        except TradingError as fault:
            raise CommandError(str(fault)) from fault
        if not options["json"]:
            self.stdout.write("GLOBAL is off" if requests else "GLOBAL is off; nothing else was open")
        closing.follow_requests(
            account, requests, self.stdout, wait_s=options["wait"], as_json=options["json"]
        )
