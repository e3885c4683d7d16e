"""What happened, append only."""

from __future__ import annotations

from enum import StrEnum

from django.db import models

from apps.engine.values.timeframe import Timeframe
from apps.postgres.enum import EnumField


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
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.cause} {self.created_at:%Y-%m-%d %H:%M:%S}"


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
