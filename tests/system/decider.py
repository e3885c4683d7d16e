"""What decides and enters in the proofs of trading: one line in, one line of JSON out, on real time.

Started as `python -m tests.system.decider` with the environment of the house; it outlives a killed database.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradingv3.settings")
django.setup()

from django.db import connection  # noqa: E402  # Django must be set up first

from apps.engine.cycle import send  # noqa: E402
from apps.engine.ports import Claimed  # noqa: E402
from apps.engine.values.order import OrderRequest, Role, TimeInForce, client_order_id  # noqa: E402
from apps.engine.values.timeframe import WINDOW, Timeframe  # noqa: E402
from apps.exchange import venue  # noqa: E402
from apps.exchange.simulator.market import state  # noqa: E402
from apps.exchange.simulator.market.archive import Archive  # noqa: E402
from apps.feed.announcement import redis_client as redis  # noqa: E402
from apps.live import watch_state  # noqa: E402
from apps.live.ledger import AccountLedger  # noqa: E402
from apps.live.minute import run_minute  # noqa: E402
from apps.live.recorder import RunRecorder  # noqa: E402
from apps.live.windows import Warm  # noqa: E402
from apps.market import store as market  # noqa: E402
from apps.profiles import store as profiles  # noqa: E402
from apps.switches.models import Cooldown  # noqa: E402
from tests.live.trading import ENTRY, always, loaded  # noqa: E402
from tests.rooms import trades  # noqa: E402

SHORT_LIVED = ENTRY | {"order_ttl_s": 20, "risk_pct": 0.2}
LATEST_S = 45
"""A minute older than this is too old before its entry is sent."""


class Decider:
    """Over the market that the simulator plays, with the house's own code and books."""

    def __init__(self, state_file: Path, symbols: int) -> None:
        self._archive = Archive.open(state.open_state(state_file, now=_now()), symbols=symbols)
        self._stored: dict[tuple[str, Timeframe], datetime] = {}
        account = venue.account()
        self._ledger = AccountLedger(
            account, lambda now: watch_state.account_health(account, now), run_id=uuid4()
        )

    def contracts(self) -> list[str]:
        """Store the contracts; their symbols."""
        listed = venue.current().history.contracts()
        market.save_contracts(listed, _now())
        return sorted(contract.symbol for contract in listed)

    def decide(self, name: str, symbols: list[str]) -> str:
        """The minute just over, READY for a long by the profile `name`; the run."""
        if _now().second > LATEST_S:
            time.sleep(61 - _now().second)
        at = Timeframe.M1.floor(_now())
        for symbol in symbols:
            self._store(symbol, at)
        Cooldown.objects.all().delete()
        profile = loaded(always(name, entry=SHORT_LIVED))
        profiles.save_version(profile)
        [run] = run_minute(
            at,
            profiles=[profile],
            warm=Warm(symbols, [profile]),
            recorder=RunRecorder(),
            client=redis(),
            now=_now(),
        )
        return str(run.run_id)

    def cross(self, symbols: list[str]) -> list[str]:
        """Entries that fill at once, sent from here; the statuses."""
        return [self._cross(symbol) for symbol in symbols]

    def close_all(self) -> int:
        """Every position closed by hand, at market; how many there were."""
        held = venue.current().broker.positions()
        for position in held:
            venue.current().broker.submit(
                OrderRequest(
                    symbol=position.symbol,
                    side=position.side,
                    opens=False,
                    size=position.size,
                    price=None,
                    time_in_force=TimeInForce.IOC,
                    leverage=position.leverage,
                    client_order_id=f"hand{uuid4().hex[:20]}",
                )
            )
        return len(held)

    def _cross(self, symbol: str) -> str:
        quote, contract = venue.current().broker.quote(symbol), market.find_contract(symbol)
        assert contract is not None

        def priced(ratio: str) -> Decimal:
            ticks = (quote.ask * Decimal(ratio) / contract.tick_size).quantize(Decimal(1))
            return ticks * contract.tick_size

        template, now = trades.plan(symbol), _now()
        key = f"{template.decision_key}{uuid4().hex[:8]}"
        size = (Decimal(500) / quote.ask / contract.contract_size).quantize(Decimal(1))
        plan = replace(
            template,
            decision_key=key,
            client_order_id=client_order_id(Role.ENTRY, key),
            entry=priced("1.002"),
            stop=priced("0.98"),
            target=priced("1.04"),
            sizing=replace(template.sizing, size=max(size, Decimal(1))),
            created_at=now,
            send_before=now + timedelta(seconds=10),
            expires_at=now + timedelta(seconds=20),
        )
        Cooldown.objects.all().delete()
        claimed = self._ledger.claim(plan, now)
        if not isinstance(claimed, Claimed):
            return str(claimed)
        sent = send(
            plan,
            broker=venue.current().broker,
            ledger=self._ledger,
            last_check=lambda plan: None,
            leverage_set=False,
            now=now,
        )
        return sent.order.status.value

    def _store(self, symbol: str, at: datetime) -> None:
        for timeframe, length in WINDOW.items():
            end = timeframe.floor(at)
            start = self._stored.get((symbol, timeframe), end - length * timeframe.duration)
            if start < end:
                market.save_candles(self._archive.candles(symbol, timeframe, start, end))
            self._stored[symbol, timeframe] = end


def _now() -> datetime:
    return datetime.now(UTC)


def _answer(decider: Decider, line: str) -> dict[str, Any]:
    connection.close()  # its server may have been killed since
    try:
        wanted = json.loads(line)
        return {"answer": getattr(decider, wanted.pop("do"))(**wanted)}
    except Exception as fault:  # the campaign kills what this stands on
        return {"fault": "".join(traceback.format_exception(fault))}


if __name__ == "__main__":
    served = Decider(Path(sys.argv[1]), int(sys.argv[2]))
    for asked in sys.stdin:
        print(json.dumps(_answer(served, asked)), flush=True)
