"""What was measured and what it said: snapshots, signals, and the newest outcome per timeframe."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.db.models.functions import Now

from apps.db.enum import EnumField
from apps.engine.profile import Phase
from apps.engine.values.timeframe import Timeframe


class SignalSide(StrEnum):
    LONG = "LONG"
    SHORT = "SHORT"
    NONE = "NONE"


class IndicatorSnapshot(models.Model):
    """One symbol's indicator values at one candle close, 7 significant digits; pivots in the 1d row only."""

    symbol = models.TextField()
    timeframe = EnumField(type_name="timeframe", enum=Timeframe)
    kline_time = models.DateTimeField(help_text="open time of the candle")
    values = models.JSONField()
    inserted_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "indicator_snapshots"
        constraints = [
            models.UniqueConstraint(
                name="indicator_snapshots_key", fields=["symbol", "timeframe", "kline_time"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.timeframe} {self.kline_time:%Y-%m-%d %H:%M}"


class Signal(models.Model):
    """LONG and SHORT outcomes, and the one NONE that ends them."""

    profile = models.TextField()
    symbol = models.TextField()
    timeframe = EnumField(type_name="timeframe", enum=Timeframe)
    phase = EnumField(type_name="phase", enum=Phase)
    kline_time = models.DateTimeField(help_text="open time of the candle")
    side = EnumField(type_name="signal_side", enum=SignalSide)
    score = models.FloatField(null=True)
    digest = models.CharField(max_length=64)
    run_id = models.UUIDField()
    meta = models.JSONField(default=dict)
    inserted_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "signals"
        constraints = [
            models.UniqueConstraint(
                name="signals_key", fields=["profile", "symbol", "timeframe", "phase", "kline_time"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.timeframe} {self.side} {self.kline_time:%Y-%m-%d %H:%M}"


class ValidationCache(models.Model):
    """The newest outcome of one timeframe; written for people, never read back by a decision."""

    cache_key = models.TextField(primary_key=True, help_text="digest|symbol|timeframe|phase")
    payload = models.JSONField()
    expires_at = models.DateTimeField()
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "validation_cache"
        verbose_name_plural = "validation cache"


class MtfState(models.Model):
    """A view over validation_cache: one row a profile, symbol, timeframe and phase."""

    cache_key = models.TextField(primary_key=True)
    profile = models.TextField()
    digest = models.CharField(max_length=64)
    symbol = models.TextField()
    timeframe = models.TextField()
    phase = models.TextField()
    kline_time = models.DateTimeField(null=True)
    side = models.TextField()
    outcome = models.TextField()
    reason = models.TextField(null=True)
    expires_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "mtf_state"
        managed = False
        verbose_name = "state"

    def __str__(self) -> str:
        return f"{self.symbol} {self.profile} {self.timeframe} {self.phase}"
