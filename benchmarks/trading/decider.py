"""What decides and enters where trading is attacked: one line in, one line of JSON out, on real time.

Started as `python -m benchmarks.trading.decider` with the environment of the house; it outlives a killed
database.
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
from apps.engine.enter import guards  # noqa: E402
from apps.engine.ports.account import Claimed  # noqa: E402
from apps.engine.values.contract import Contract  # noqa: E402
from apps.engine.values.entry import EntryRules, Fallback, RestingZone  # noqa: E402
from apps.engine.values.order import (  # noqa: E402
    OrderRequest,
    Role,
    TimeInForce,
    client_order_id,
    decision_key,
)
from apps.engine.values.plan import Bound, Limits, OrderPlan, Sizing, Tranche, Zone  # noqa: E402
from apps.engine.values.position import Quote, Side  # noqa: E402
from apps.engine.values.timeframe import WINDOW, Timeframe  # noqa: E402
from apps.exchange import venue  # noqa: E402
from apps.exchange.simulator.market import state  # noqa: E402
from apps.exchange.simulator.market.archive import Archive  # noqa: E402
from apps.feed.announcement import redis_client as redis  # noqa: E402
from apps.live import watch_state  # noqa: E402
from apps.live.ledger import AccountLedger, off_switches  # noqa: E402
from apps.live.minute import run_minute  # noqa: E402
from apps.live.recorder import RunRecorder  # noqa: E402
from apps.live.windows import Warm  # noqa: E402
from apps.market import store as market  # noqa: E402
from apps.orders import store as orders  # noqa: E402
from apps.profiles import store as profiles  # noqa: E402
from apps.switches.models import Cooldown  # noqa: E402
from benchmarks.trading.always import ENTRY, always, loaded  # noqa: E402

SHORT_LIVED = ENTRY | {
    "order_ttl_s": 20,
    "risk_pct": 0.2,
    "slippage_guard_bps": 10,
    "fallback_end_of_zone": {"ttl_threshold_s": 12, "max_spread_bps": 50},
}
SHARES = (Decimal("0.5"), Decimal("0.3"), Decimal("0.2"))
APART = Decimal("0.0005")
"""Of the ask, from one tranche to the next."""
LATEST_S = 45
"""A minute older than this is too old before its entry is sent."""
NOTIONAL = Decimal(500)
"""USDT of an entry that is sent from here."""
EQUITY = Decimal(10_000)
LEVERAGE = 5
LOSS_AT_STOP = Decimal("0.0225")
"""Of the notional: 2 % to the stop, and fees."""


class Decider:
    """Over the market that the simulator plays, with the house's own code and books."""

    def __init__(self, state_file: Path, symbols: int) -> None:
        self._archive = Archive.open(state.open_state(state_file, now=_now()), symbols=symbols)
        self._stored: dict[tuple[str, Timeframe], datetime] = {}
        account = venue.account()
        self._digest = loaded(always("sent", entry=SHORT_LIVED)).digest
        self._ledger = AccountLedger(
            account, lambda now: watch_state.account_health(account, now), run_id=uuid4()
        )

    def contracts(self) -> list[str]:
        """Store the contracts; their symbols."""
        listed = venue.current().history.contracts()
        market.save_contracts(listed, _now())
        profiles.save_version(loaded(always("sent", entry=SHORT_LIVED)))  # a fallback is planned by it
        return sorted(contract.symbol for contract in listed)

    def decide(self, name: str, symbols: list[str], side: str = "long") -> str:
        """The minute just over, READY on `side` by the profile `name`; the run."""
        if _now().second > LATEST_S:
            time.sleep(61 - _now().second)
        at = Timeframe.M1.floor(_now())
        for symbol in symbols:
            self._store(symbol, at)
        self._forget_the_past()
        profile = loaded(always(name, side, entry=SHORT_LIVED))
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

    def send_entries(
        self, symbols: list[str], side: str = "long", ratio: str = "1.002", shape: str = "single"
    ) -> list[str]:
        """Entries claimed and sent from here, limited at `ratio` of the ask; their statuses or refusals.

        Beyond 1 a long fills at once, just below it perhaps later, far below never; a short mirrored.
        `shape`: single, tranches (three of them), or fallback (its rest is taken from the book at the end).
        """
        self._forget_the_past()
        return [self._send_entry(symbol, Side(side), Decimal(ratio), shape) for symbol in symbols]

    def close_all(self) -> int:
        """Every position closed by hand, at market; how many there were."""
        held = venue.current().broker.all_positions().rows
        for position in held:
            venue.current().broker.submit(
                OrderRequest(
                    symbol=position.symbol,
                    side=position.side,
                    opens=False,
                    size=position.size,
                    price=None,
                    time_in_force=TimeInForce.IOC,
                    client_order_id=f"hand{uuid4().hex[:20]}",
                )
            )
        return len(held)

    def _forget_the_past(self) -> None:
        """Cooldowns and losses of minutes before would end the attack: an operator sets them back."""
        Cooldown.objects.all().delete()
        orders.reset_daily_loss(venue.account(), reason="the attack goes on", actor="decider", now=_now())

    def _send_entry(self, symbol: str, side: Side, ratio: Decimal, shape: str) -> str:
        quote, contract = venue.current().broker.quote(symbol), market.find_contract(symbol)
        assert contract is not None
        plan = entry_plan(quote, contract, side, ratio, _now())
        if shape == "tranches":
            plan = in_tranches(plan, contract)
        elif shape == "fallback":
            zone = RestingZone(plan.zone.low, plan.zone.high, quote.mark, Decimal(10))
            rules = EntryRules(zone=zone, fallback=Fallback(25, Decimal(50)))
            ends_at = plan.created_at + timedelta(seconds=30)  # its rest may be sent nearly at once
            plan = replace(plan, digest=self._digest, entry_rules=rules, expires_at=ends_at)
        claimed = self._ledger.claim(plan, plan.created_at)
        if not isinstance(claimed, Claimed):
            return str(claimed.reason)
        sent = send(
            plan,
            broker=venue.current().broker,
            ledger=self._ledger,
            last_check=lambda plan: guards.send_refusal(plan, off_switches(), _now()),
            leverage_set=claimed.leverage == plan.leverage,
            clock=_now,
        )
        return sent.order.status.value

    def _store(self, symbol: str, at: datetime) -> None:
        for timeframe, length in WINDOW.items():
            end = timeframe.floor(at)
            start = self._stored.get((symbol, timeframe), end - length * timeframe.duration)
            if start < end:
                market.save_candles(self._archive.candles(symbol, timeframe, start, end))
            self._stored[symbol, timeframe] = end


def entry_plan(quote: Quote, contract: Contract, side: Side, ratio: Decimal, now: datetime) -> OrderPlan:
    """Return a plan of NOTIONAL at `ratio` of the ask for a long, its mirror for a short; stop 2 % away."""
    entry = ratio if side is Side.LONG else 2 - ratio
    stop_away = Decimal("0.02") if side is Side.LONG else Decimal("-0.02")

    def priced(of_ask: Decimal) -> Decimal:
        return (quote.ask * of_ask / contract.tick_size).quantize(Decimal(1)) * contract.tick_size

    size = max((NOTIONAL / quote.ask / contract.contract_size).quantize(Decimal(1)), Decimal(1))
    notional = size * contract.contract_size * quote.ask
    opened = Timeframe.M1.floor(now)
    key = f"{decision_key('sent', contract.symbol, Timeframe.M1, opened, side)}|{uuid4().hex[:8]}"
    zone_half = Decimal("0.005") * quote.ask
    return OrderPlan(
        decision_key=key,
        client_order_id=client_order_id(Role.ENTRY, key),
        profile="sent",
        digest="d" * 64,
        symbol=contract.symbol,
        side=side,
        timeframe=Timeframe.M1,
        timeframes=(Timeframe.M5, Timeframe.M1),
        candle_open_at=opened,
        quote=quote,
        zone=Zone(
            quote.ask - zone_half,
            quote.ask + zone_half,
            quote.ask,
            "vwap",
            zone_half,
            now + timedelta(seconds=240),
        ),
        entry=priced(entry),
        stop=priced(entry - stop_away),
        stop_source="atr",
        target=priced(entry + 2 * stop_away),
        target_source="r_multiple",
        sizing=Sizing(
            size=size,
            leverage=LEVERAGE,
            bound=Bound.RISK,
            equity=EQUITY,
            risk_budget=EQUITY / 100,
            risk=notional * LOSS_AT_STOP,
            notional=notional,
            margin=notional / LEVERAGE,
            liquidation_distance=quote.ask / LEVERAGE,
        ),
        expected_r_net=Decimal("1.8"),
        limits=Limits(daily_loss=EQUITY * 6 / 100, max_concurrent_positions=10),
        review=False,
        created_at=now,
        send_before=now + timedelta(seconds=10),
        expires_at=now + timedelta(seconds=20),
    )


def in_tranches(plan: OrderPlan, contract: Contract) -> OrderPlan:
    """Return `plan` as three orders, APART from each other, away from the market; one if too small."""
    away = APART * plan.quote.ask * (-1 if plan.side is Side.LONG else 1)
    sizes = [max((plan.size * share).quantize(Decimal(1)), Decimal(1)) for share in SHARES]
    sizes = [size for size in (plan.size - sizes[1] - sizes[2], *sizes[1:]) if size > 0]
    if len(sizes) < len(SHARES) or sum(sizes) != plan.size:
        return plan
    prices = [
        ((plan.entry + away * number) / contract.tick_size).quantize(Decimal(1)) * contract.tick_size
        for number in range(len(sizes))
    ]
    risks = [plan.sizing.risk * size / plan.size for size in sizes]
    return replace(plan, scaled=tuple(map(Tranche, prices, sizes, risks)))


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
