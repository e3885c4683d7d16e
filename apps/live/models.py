"""The live desk's own memory: its runs."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.db.models import Q

from apps.db.enum import EnumField


class RunStatus(StrEnum):
    RUNNING = "running"
    DECIDED = "decided"
    FAILED = "failed"
    SKIPPED = "skipped"
    LOST = "lost"


class Trigger(StrEnum):
    BEAT = "beat"
    API = "api"
    COMMAND = "command"


class MtfRun(models.Model):
    """One minute for all symbols of one profile; the minute's claim is the unique key below."""

    run_id = models.UUIDField(unique=True)
    profile = models.TextField()
    digest = models.CharField(max_length=64)
    minute = models.DateTimeField(help_text="the boundary the run judges: candles closed at this instant")
    trigger = EnumField(type_name="run_trigger", enum=Trigger)
    status = EnumField(type_name="run_status", enum=RunStatus)
    counts = models.JSONField(default=dict)
    dry_run = models.BooleanField(default=True)
    options = models.JSONField(default=dict)
    result = models.JSONField(null=True)
    timings = models.JSONField(default=dict, help_text="milliseconds per stage")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")
    no_room = models.JSONField(
        default=list, help_text="READY symbols that were not tried: the account had no room for so many"
    )

    class Meta:
        db_table = "mtf_run"
        verbose_name = "run"
        constraints = [
            models.UniqueConstraint(
                name="mtf_run_minute", fields=["profile", "minute"], condition=Q(trigger="beat")
            )
        ]
        indexes = [
            models.Index(name="mtf_run_started", fields=["-started_at"]),
            models.Index(name="mtf_run_open", fields=["minute"], condition=Q(status="running")),
        ]

    def __str__(self) -> str:
        return f"{self.minute:%Y-%m-%d %H:%M} {self.profile} {self.status}"


class WatchState(models.Model):
    """What the watch process last found out about one account; entries ask it whether they may go.

    `read_at`: our clock at the last complete look at the exchange. `reconciled_at`: the last whole comparison
    of the books, NULL when they are in doubt: since its start, or since private pushes were away too long.
    """

    account = models.TextField(unique=True)
    started_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    reconciled_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(null=True, help_text="the last sign of life of the private pushes")
    position_mode = models.TextField(blank=True, default="")
    drift_ms = models.FloatField(null=True, help_text="the exchange's clock minus ours")
    unhealthy = models.TextField(blank=True, default="", help_text="why nothing may be opened")
    unknown = models.JSONField(default=list, help_text="symbols that could not be read or explained")

    class Meta:
        db_table = "watch_state"
        verbose_name = "watch state"

    def __str__(self) -> str:
        return self.account
