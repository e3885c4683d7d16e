"""What happened, append only."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.db.models import Q

from apps.db.enum import EnumField
from apps.engine.events import ZoneCategory
from apps.engine.values.position import Side
from apps.engine.values.timeframe import Timeframe


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class MtfAudit(models.Model):
    """READY and changed verdicts; a row stands until the symbol's next one of that profile."""

    symbol = models.TextField()
    run_id = models.UUIDField()
    step = models.TextField()
    timeframe = EnumField(type_name="timeframe", enum=Timeframe, null=True)
    cause = models.TextField()
    details = models.JSONField(default=dict)
    severity = EnumField(type_name="severity", enum=Severity, default=Severity.INFO.value)
    profile = models.TextField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "mtf_audit"
        verbose_name = "audit row"
        indexes = [
            models.Index(name="mtf_audit_symbol", fields=["symbol", "profile", "-created_at"]),
            models.Index(name="mtf_audit_run", fields=["run_id"]),
            models.Index(name="mtf_audit_created", fields=["-created_at"]),
            models.Index(name="mtf_audit_cause", fields=["cause", "-created_at"]),
            models.Index(name="mtf_audit_loud", fields=["-created_at"], condition=~Q(severity="info")),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.cause} {self.created_at:%Y-%m-%d %H:%M:%S}"


class TradeLifecycleEvent(models.Model):
    """One step of a trade, from plan to closed position, also the step that refused it."""

    happened_at = models.DateTimeField()
    account = models.TextField()
    symbol = models.TextField()
    event_type = models.TextField()
    profile = models.TextField(blank=True, default="")
    run_id = models.UUIDField(null=True)
    decision_key = models.TextField(blank=True, default="")
    client_order_id = models.TextField(blank=True, default="")
    exchange_order_id = models.TextField(blank=True, default="")
    trade_id = models.TextField(blank=True, default="")
    side = EnumField(type_name="position_side", enum=Side, null=True)
    quantity = models.DecimalField(max_digits=28, decimal_places=12, null=True, help_text="contracts")
    price = models.DecimalField(max_digits=28, decimal_places=12, null=True)
    reason_code = models.TextField(blank=True, default="")
    extra = models.JSONField(default=dict)

    class Meta:
        db_table = "trade_lifecycle_event"
        verbose_name = "trade event"
        indexes = [
            models.Index(name="trade_event_newest", fields=["-happened_at"]),
            models.Index(name="trade_event_symbol", fields=["symbol", "-happened_at"]),
            models.Index(name="trade_event_type", fields=["event_type", "-happened_at"]),
            models.Index(name="trade_event_decision", fields=["decision_key"], condition=~Q(decision_key="")),
            models.Index(name="trade_event_run", fields=["run_id"], condition=Q(run_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.event_type} {self.happened_at:%Y-%m-%d %H:%M:%S}"


class TradeZoneEvent(models.Model):
    """One refusal by the entry zone, with everything it was judged by."""

    happened_at = models.DateTimeField()
    account = models.TextField()
    symbol = models.TextField()
    profile = models.TextField()
    timeframe = EnumField(type_name="timeframe", enum=Timeframe)
    run_id = models.UUIDField(null=True)
    decision_key = models.TextField(blank=True, default="")
    side = EnumField(type_name="position_side", enum=Side)
    reason_code = models.TextField()
    category = EnumField(type_name="zone_category", enum=ZoneCategory)
    zone_low = models.DecimalField(max_digits=28, decimal_places=12)
    zone_high = models.DecimalField(max_digits=28, decimal_places=12)
    candidate = models.DecimalField(max_digits=28, decimal_places=12)
    anchor = models.DecimalField(max_digits=28, decimal_places=12)
    deviation_pct = models.DecimalField(max_digits=20, decimal_places=8)
    limit_pct = models.DecimalField(max_digits=20, decimal_places=8)
    atr = models.DecimalField(max_digits=28, decimal_places=12)
    spread_bps = models.DecimalField(max_digits=20, decimal_places=8)
    volume_ratio = models.DecimalField(max_digits=20, decimal_places=8, null=True)

    class Meta:
        db_table = "trade_zone_events"
        verbose_name = "zone event"
        indexes = [
            models.Index(name="zone_event_newest", fields=["-happened_at"]),
            models.Index(name="zone_event_symbol", fields=["symbol", "-happened_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.reason_code} {self.happened_at:%Y-%m-%d %H:%M:%S}"


class OperatorAction(models.Model):
    """Who did what, and why."""

    happened_at = models.DateTimeField(auto_now_add=True)
    actor = models.TextField()
    action = models.TextField()
    target = models.TextField()
    reason = models.TextField(blank=True, default="")
    extra = models.JSONField(default=dict)

    class Meta:
        db_table = "operator_action"
        ordering = ["-happened_at"]
        indexes = [models.Index(name="operator_action_at", fields=["-happened_at"])]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.target}"
