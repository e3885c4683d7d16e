"""manage.py close_position: out of one symbol, now."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.console import closing
from apps.engine.values.errors import TradingError
from apps.engine.values.position import Side
from apps.exchange import venue
from apps.orders import store as orders


class Command(BaseCommand):
    help = (
        "Close what is held of a symbol at market, reduce-only and again until it is flat, and take its "
        "resting entries back; its stop stays until then. The watch process does it within a second or two, "
        "kill switches or not. What was opened by hand is closed only with --foreign. Who, why and when is "
        "recorded in the admin's close requests and operator actions. Exit code 1 when it is refused, or not "
        'flat in time. Example: close_position BTCUSDT --side long --reason "news at noon"'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("symbol")
        parser.add_argument("--side", choices=[side.value for side in Side], help="absent: both")
        closing.add_arguments(parser)

    def handle(self, *args: Any, symbol: str, side: str | None, reason: str, **options: Any) -> None:
        account = venue.account()
        if not options["yes"]:
            closing.confirm(symbol, f"{symbol} {side or 'long and short'} of {account} is closed at market.")
        try:
            requests = orders.request_close(
                account,
                symbol,
                side=None if side is None else Side(side),
                foreign=options["foreign"],
                reason=reason,
                actor=options["by"] or getpass.getuser(),
                now=datetime.now(UTC),
            )
        except TradingError as fault:
            raise CommandError(str(fault)) from fault
        closing.follow_requests(
            account, requests, self.stdout, wait_s=options["wait"], as_json=options["json"]
        )
