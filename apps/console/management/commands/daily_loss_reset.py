"""manage.py daily_loss_reset: start the day's losses and the streaks of stop losses anew."""

from __future__ import annotations

import getpass
import json
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pydantic_core import to_jsonable_python

from apps.engine.values.errors import TradingError
from apps.exchange import venue
from apps.orders import store as orders


class Command(BaseCommand):
    help = (
        "Let entries go on after daily_loss_limit_reached or stoploss_streak: what positions lost (and "
        "gained) before this moment no longer counts in the day's loss of the account and its profiles, and "
        "no stop loss before it in a streak. What closes later counts, what is open stays at risk, and a "
        "drawdown (max_drawdown_reached) is not reset: it compares with the peak of 30 days. Who, why and "
        "when is recorded in the admin's daily loss resets and operator actions. "
        'Example: daily_loss_reset --reason "the bad tick of 14:02 is understood"'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", required=True)
        parser.add_argument("--by", default=None, help="who does it (default: the user of this shell)")
        parser.add_argument("--json", action="store_true", help="the reset and what it left behind")

    def handle(self, *args: Any, reason: str, **options: Any) -> None:
        account, now = venue.account(), datetime.now(UTC)
        lost = orders.lost_today(account, now)
        actor = options["by"] or getpass.getuser()
        try:
            reset = orders.reset_daily_loss(account, reason=reason, actor=actor, now=now)
        except TradingError as fault:
            raise CommandError(str(fault)) from fault
        if options["json"]:
            columns = {name: getattr(reset, name) for name in ("account", "at", "reason", "reset_by")}
            self.stdout.write(json.dumps(to_jsonable_python(columns | {"lost_before": lost})))
            return
        self.stdout.write(
            f"{account}: losses and streaks before {reset.at:%Y-%m-%d %H:%M:%S} UTC count no more"
        )
        for profile, usdt in lost.items():
            self.stdout.write(f"  {profile or 'not ours'}: {-usdt:+.2f} USDT realised today until then")
