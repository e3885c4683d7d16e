"""What the desk hands to this room, as plain rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.engine.profile import Phase
from apps.engine.values.timeframe import Timeframe
from apps.signals.models import SignalSide


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """Indicator values at one candle close. `kline_time` is the candle's open time; NaN is stored as null."""

    symbol: str
    timeframe: Timeframe
    kline_time: datetime
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SignalRow:
    """A LONG or SHORT of one timeframe and phase, or the NONE that ends it."""

    profile: str
    symbol: str
    timeframe: Timeframe
    phase: Phase
    kline_time: datetime
    side: SignalSide
    digest: str
    run_id: UUID
    score: float | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """The standing outcome of one timeframe and phase, valid until `expires_at`.

    `side` is LONG, SHORT or NONE; `outcome` and `reason` are the desk's words; `details` joins the payload.
    """

    digest: str
    profile: str
    symbol: str
    timeframe: Timeframe
    phase: Phase
    kline_time: datetime | None
    side: SignalSide
    outcome: str
    reason: str | None
    expires_at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cache_key(self) -> str:
        return f"{self.digest}|{self.symbol}|{self.timeframe}|{self.phase}"
