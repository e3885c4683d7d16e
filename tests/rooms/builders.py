"""Values for the rooms' tests: plain, legal, and changed where a test says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.audit.store import AuditRow
from apps.engine.profile import Phase
from apps.engine.values.candle import Candle, Source
from apps.engine.values.contract import Contract
from apps.engine.values.timeframe import Timeframe
from apps.signals.models import SignalSide
from apps.signals.store import OutcomeRow, SignalRow, SnapshotRow

T0 = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
RUN = UUID("11111111-2222-3333-4444-555555555555")
DIGEST = "d" * 64


def candle(symbol: str = "BTCUSDT", *, n: int = 0, close: str = "100.5", **changes: Any) -> Candle:
    """The `n`-th candle after T0, between 99 and 102."""
    timeframe = changes.pop("timeframe", Timeframe.M1)
    row = Candle(
        symbol=symbol,
        timeframe=timeframe,
        open_time=changes.pop("open_time", T0 + n * timeframe.duration),
        open=Decimal("100"),
        high=Decimal("102"),
        low=Decimal("99"),
        close=Decimal(close),
        volume=Decimal("12.25"),
        source=Source.REST,
    )
    return replace(row, **changes)


def contract(symbol: str = "BTCUSDT", **changes: Any) -> Contract:
    step = Decimal(1)
    row = Contract(
        symbol=symbol,
        base=symbol.removesuffix("USDT"),
        quote="USDT",
        contract_size=Decimal("0.001"),
        tick_size=Decimal("0.1"),
        volume_step=step,
        min_volume=step,
        max_volume=Decimal(1_000_000),
        market_max_volume=Decimal(500_000),
        min_leverage=step,
        max_leverage=Decimal(100),
        status="Trading",
        listed_at=T0 - timedelta(days=900),
        delist_at=None,
        expires_at=None,
        settles_at=None,
        last_price=Decimal("100.5"),
        index_price=Decimal("100.4"),
        volume_24h=Decimal(12_345_678),
        turnover_24h=Decimal("1234567890.12"),
        high_24h=Decimal(102),
        low_24h=Decimal(99),
        change_24h_ratio=Decimal("0.0123"),
        open_interest=Decimal(4_000_000),
        open_interest_value=Decimal(400_000_000),
        funding_rate_ratio=Decimal("0.0001"),
        expected_funding_rate_ratio=Decimal("0.0001"),
        funding_interval_hours=8,
        funding_at=T0 + timedelta(hours=8),
    )
    return replace(row, **changes)


def snapshot(**changes: Any) -> SnapshotRow:
    values = {"close": 100.5, "rsi": 51.23456789, "adx": float("nan")}
    return replace(SnapshotRow("BTCUSDT", Timeframe.M5, T0, values), **changes)


def signal(**changes: Any) -> SignalRow:
    row = SignalRow(
        profile="regular",
        symbol="BTCUSDT",
        timeframe=Timeframe.M5,
        phase=Phase.CONTEXT,
        kline_time=T0,
        side=SignalSide.LONG,
        digest=DIGEST,
        run_id=RUN,
        score=0.75,
    )
    return replace(row, **changes)


def outcome(**changes: Any) -> OutcomeRow:
    row = OutcomeRow(
        digest=DIGEST,
        profile="regular",
        symbol="BTCUSDT",
        timeframe=Timeframe.M5,
        phase=Phase.CONTEXT,
        kline_time=T0,
        side=SignalSide.LONG,
        outcome="long",
        reason=None,
        expires_at=T0 + timedelta(minutes=10),
    )
    return replace(row, **changes)


def audit_row(**changes: Any) -> AuditRow:
    row = AuditRow(
        symbol="BTCUSDT",
        run_id=RUN,
        step="verdict",
        timeframe=Timeframe.M5,
        cause="READY",
        profile="regular",
        digest=DIGEST,
        created_at=T0,
        details={"verdict": {"side": "long"}},
    )
    return replace(row, **changes)
