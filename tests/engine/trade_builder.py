"""A READY verdict and everything an entry is decided from; changed by keyword, case by case."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from apps.engine.enter.guards import claim_refusal, review_refusal
from apps.engine.enter.observation import Observation
from apps.engine.enter.plan import make_plan, precheck
from apps.engine.evaluate.verdict import Verdict
from apps.engine.profile import EntrySettings, Profile
from apps.engine.values.account import AccountState
from apps.engine.values.contract import Contract
from apps.engine.values.plan import OrderPlan
from apps.engine.values.position import Account, Bracket, FeeRates, Quote, Side
from apps.engine.values.reason import Refusal
from apps.engine.values.timeframe import Timeframe
from apps.engine.values.venue import VenueConstraints

D = Decimal
PROFILES = Path(__file__).resolve().parents[2] / "profiles"
OPENED = datetime(2026, 3, 2, 9, 59, tzinfo=UTC)
NOW = OPENED + timedelta(seconds=64)
CONSTRAINTS = VenueConstraints(
    signature_valid_s=70,
    answer_s=5,
    candles_per_request=499,
    fee_reads_apart_s=3.0,
    standard_fees=FeeRates(maker=Decimal("0.0002"), taker=Decimal("0.0006")),
)
SYMBOL = "BTCUSDT"
BRACKETS = (
    Bracket(D(100_000), 50, D("0.005"), D(0)),
    Bracket(D(1_000_000), 20, D("0.01"), D(500)),
)


def at(seconds: float) -> datetime:
    """So many seconds after the plan."""
    return NOW + timedelta(seconds=seconds)


def profile(name: str = "scalper_micro", **entry: Any) -> Profile:
    """A shipped profile; `entry` replaces keys of its entry section. Scaled in it has no fallback."""
    content = deepcopy(_file(name))
    content["entry"] |= entry
    if len(entry.get("scaling", ())) > 1:
        content["entry"].pop("fallback_end_of_zone", None)
    return Profile.load(content, _file("conditions"), name)


def entry_of(name: str = "scalper_micro", **entry: Any) -> EntrySettings:
    return EntrySettings.model_validate(_file(name)["entry"] | entry)


def contract(**changes: Any) -> Contract:
    values: dict[str, Any] = {
        "symbol": SYMBOL,
        "base": "BTC",
        "quote": "USDT",
        "contract_size": D("0.001"),
        "tick_size": D("0.1"),
        "volume_step": D(1),
        "min_volume": D(1),
        "max_volume": D(1_000_000),
        "market_max_volume": D(200_000),
        "min_leverage": D(1),
        "max_leverage": D(100),
        "status": "Trading",
        **dict.fromkeys(("listed_at", "delist_at", "expires_at", "settles_at", "funding_at")),
        **dict.fromkeys(
            ("last_price", "index_price", "volume_24h", "turnover_24h", "high_24h", "low_24h"), D(50_000)
        ),
        **dict.fromkeys(
            (
                "change_24h_ratio",
                "open_interest",
                "open_interest_value",
                "funding_rate_ratio",
                "expected_funding_rate_ratio",
            ),
            D(0),
        ),
        "funding_interval_hours": 8,
    }
    return Contract(**(values | changes))


def quote(bid: str = "50000.0", ask: str = "50000.1", mark: str = "50000", **changes: Any) -> Quote:
    values: dict[str, Any] = {"bid": D(bid), "ask": D(ask), "mark": D(mark), "last": D(mark), "at": NOW}
    return Quote(symbol=SYMBOL, **(values | changes))


def features(**changes: float | None) -> dict[Timeframe, dict[str, float | None]]:
    """sma21 and vwap at 50,000 on 1m and 15m, ATR 40 (1m), 120 (5m), 200 (15m); `d_r1` is a pivot."""
    pivots = {name.removeprefix("d_"): value for name, value in changes.items() if name.startswith("d_")}
    of_1m: dict[str, float | None] = {"sma21": 50_000.0, "vwap": 50_000.0, "atr": 40.0, "volume_ratio": 1.5}
    of_1m |= {name: value for name, value in changes.items() if not name.startswith("d_")}
    return {
        Timeframe.M1: of_1m,
        Timeframe.M5: {"atr": 120.0},
        Timeframe.M15: {"vwap": 50_000.0, "sma21": 50_000.0, "atr": 200.0},
        Timeframe.D1: pivots,
    }


def account(equity: str = "1000", **changes: Decimal) -> Account:
    values = {"available": D(equity), "frozen": D(0), "position_margin": D(0), "unrealised": D(0)}
    return Account(**(values | changes))


def observation(**changes: Any) -> Observation:
    values: dict[str, Any] = {
        "contract": contract(),
        "brackets": BRACKETS,
        "quote": quote(),
        "account": account(),
        "fees": FeeRates(maker=D("0.0002"), taker=D("0.0006")),
        "features": features(),
    }
    return Observation(**(values | changes))


def verdict(side: Side | None = Side.LONG, **changes: Any) -> Verdict:
    built = Verdict(
        symbol=SYMBOL,
        profile="scalper_micro",
        digest="d" * 64,
        evaluated_at=OPENED + timedelta(minutes=1),
        is_ready=True,
        side=side,
        execution_timeframe=Timeframe.M1,
        candle_open_at=OPENED,
        reason=None,
        score=1.0,
        timeframes=(),
    )
    return replace(built, **changes)


def state(**changes: Any) -> AccountState:
    values: dict[str, Any] = {"off": {}, "reconciled": True}
    return AccountState(**(values | changes))


def plan_or_refusal(
    of: Verdict,
    by: Profile,
    seen: Observation,
    books: AccountState,
    now: datetime,
    *,
    approved: OrderPlan | None = None,
) -> OrderPlan | Refusal:
    """What an entry comes to: prechecked, planned, and asked once more by the claim."""
    decision = precheck(of, by, books, now, approved=approved)
    plan = decision if isinstance(decision, Refusal) else make_plan(decision, seen, now)
    if isinstance(plan, Refusal):
        return plan
    if approved is not None:
        books = books.without(approved.decision_key)
        worse = review_refusal(approved, plan)
        if worse is not None:
            return worse
    return claim_refusal(plan, books, now) or plan


def planned(
    side: Side = Side.LONG, *, scaling: tuple[float, ...] = (1,), by: Profile | None = None, **changes: Any
) -> OrderPlan:
    """The plan of `verdict(side)`; `scaling` its shares, keywords change the observation."""
    by = by or (profile() if scaling == (1,) else profile(scaling=list(scaling)))
    plan = plan_or_refusal(verdict(side), by, observation(**changes), state(), NOW)
    assert not isinstance(plan, Refusal), plan
    return plan


@cache
def _file(name: str) -> Any:
    return yaml.safe_load((PROFILES / f"{name}.yaml").read_text("utf-8"))
