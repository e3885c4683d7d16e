"""What stops entries: kill switches (people's), cooldowns (automatic), and marks to process once."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class SwitchQuerySet(models.QuerySet["MtfSwitch"]):
    def off(self, at: datetime) -> SwitchQuerySet:
        """Those that stop something at `at`."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=at), is_on=False)


class MtfSwitch(models.Model):
    """`GLOBAL`, `PROFILE:p`, `SYMBOL:X` or `SYMBOL_TF:X:tf`; a missing row and an expired OFF are on."""

    switch_key = models.TextField(unique=True)
    is_on = models.BooleanField(default=True)
    reason = models.TextField(blank=True, default="")
    changed_by = models.TextField(blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="an OFF ends by itself at this time")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = SwitchQuerySet.as_manager()

    class Meta:
        db_table = "mtf_switch"
        ordering = ["switch_key"]
        verbose_name = "kill switch"
        verbose_name_plural = "kill switches"

    def __str__(self) -> str:
        return self.switch_key

    @property
    def is_in_force(self) -> bool:
        """Whether it stops anything now."""
        return not self.is_on and (self.expires_at is None or self.expires_at > timezone.now())


class Cooldown(models.Model):
    """The automatic pause of a symbol until `ends_at`; the newest replaces the one before."""

    account = models.TextField()
    symbol = models.TextField()
    decision_key = models.TextField(blank=True, default="", help_text="the decision that brought it about")
    reason = models.TextField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        db_table = "cooldown"
        ordering = ["-ends_at"]
        constraints = [
            models.UniqueConstraint(name="cooldown_symbol", fields=["account", "symbol"]),
            models.CheckConstraint(name="cooldown_span", condition=Q(ends_at__gte=F("starts_at"))),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} until {self.ends_at:%Y-%m-%d %H:%M}"


class SymbolQueue(models.Model):
    """A mark to judge a symbol once by a profile, in its next minute whose candles allow it.

    `run_id` is the run that judged it; a mark taken without one ended unjudged.
    """

    account = models.TextField()
    symbol = models.TextField()
    profile = models.TextField()
    asked_by = models.TextField()
    reason = models.TextField()
    asked_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    run_id = models.UUIDField(null=True)

    class Meta:
        db_table = "symbol_queue"
        ordering = ["-asked_at"]
        verbose_name = "queue mark"
        constraints = [
            models.UniqueConstraint(
                name="symbol_queue_waiting",
                fields=["account", "symbol", "profile"],
                condition=Q(taken_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.profile}"
