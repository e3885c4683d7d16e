"""Builders of stored rows."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.audit.models import MtfAudit
from apps.engine.profile import Phase
from apps.feed.models import StreamHealth
from apps.live.models import MtfRun, RunStatus, Trigger, WatchState
from apps.market.models import Contract, Kline
from apps.signals.models import IndicatorSnapshot, Signal, SignalSide, ValidationCache

DIGEST = "d" * 64
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def run(**changed: Any) -> MtfRun:
    minute = changed.pop("minute", NOON)
    given = {
        "run_id": uuid.uuid4(),
        "profile": "scalper_micro",
        "digest": DIGEST,
        "minute": minute,
        "trigger": Trigger.BEAT,
        "status": RunStatus.DECIDED,
        "counts": {"symbols": 1},
        "timings": {"evaluate_ms": 12.5},
        "started_at": minute + timedelta(seconds=1),
        "finished_at": minute + timedelta(seconds=2),
    }
    return MtfRun.objects.create(**(given | changed))


def audit(**changed: Any) -> MtfAudit:
    given = {
        "symbol": "BTCUSDT",
        "run_id": uuid.uuid4(),
        "step": "verdict",
        "cause": "READY",
        "profile": "scalper_micro",
        "digest": DIGEST,
        "created_at": NOON,
    }
    return MtfAudit.objects.create(**(given | changed))


def stream(**changed: Any) -> StreamHealth:
    now = changed.pop("now", NOON)
    given = {
        "name": "public",
        "connected": True,
        "symbols": 16,
        "last_message_at": now,
        "last_candle_at": now - timedelta(seconds=30),
        "started_at": now - timedelta(hours=1),
        "updated_at": now,
    }
    return StreamHealth.objects.create(**(given | changed))


def watch(**changed: Any) -> WatchState:
    now = changed.pop("now", NOON)
    given = dict.fromkeys(("started_at", "read_at", "reconciled_at", "heard_at"), now)
    return WatchState.objects.create(**(given | {"account": "simulator:live"} | changed))


def kline(minutes: int = 0, symbol: str = "BTCUSDT") -> Kline:
    price = Decimal("104000.5")
    return Kline.objects.create(
        symbol=symbol,
        timeframe="1m",
        open_time=NOON + timedelta(minutes=minutes),
        open_price=price,
        high_price=price + 1,
        low_price=price - 1,
        close_price=price,
        volume=Decimal("1.25"),
        source="WS",
    )


def snapshot(minutes: int = 0) -> IndicatorSnapshot:
    return IndicatorSnapshot.objects.create(
        symbol="BTCUSDT", timeframe="1m", kline_time=NOON + timedelta(minutes=minutes), values={"rsi": 51.2}
    )


def signal(minutes: int = 0) -> Signal:
    return Signal.objects.create(
        profile="scalper_micro",
        symbol="BTCUSDT",
        timeframe="1m",
        phase=Phase.EXECUTION,
        kline_time=NOON + timedelta(minutes=minutes),
        side=SignalSide.LONG,
        digest=DIGEST,
        run_id=uuid.uuid4(),
    )


def outcome(symbol: str = "BTCUSDT") -> ValidationCache:
    return ValidationCache.objects.create(
        cache_key=f"{DIGEST}|{symbol}|1m|execution",
        payload={
            "profile": "scalper_micro",
            "kline_time": NOON.isoformat(),
            "side": "LONG",
            "outcome": "valid",
            "reason": None,
        },
        expires_at=NOON + timedelta(minutes=1),
    )


def contract(symbol: str = "BTCUSDT", **changed: Any) -> Contract:
    one = Decimal(1)
    numbers = {
        field.name: one
        for field in Contract._meta.concrete_fields
        if field.get_internal_type() == "DecimalField"
    }
    given = {
        "base": symbol.removesuffix("USDT"),
        "quote": "USDT",
        "status": "Trading",
        "turnover_24h": Decimal(2_000_000),
        "listed_at": NOON - timedelta(days=400),
        "funding_interval_hours": 8,
        "synced_at": NOON,
    }
    return Contract.objects.create(symbol=symbol, **(numbers | given | changed))
