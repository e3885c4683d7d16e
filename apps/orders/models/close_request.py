"""What people want closed."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from apps.db.enum import EnumField
from apps.engine.values.position import Side
from apps.orders.models.plan import AccountQuerySet


class CloseRequestQuerySet(AccountQuerySet["CloseRequest"]):
    def open(self) -> Self:
        """Those that the watch process has not ended yet."""
        return self.filter(done_at=None)


class CloseRequest(models.Model):
    """A person's wish that nothing is held or rests on a side any more; the watch process obeys and ends it.

    `foreign`: also what we did not open. `outcome` says how it ended.
    """

    account = models.TextField()
    symbol = models.TextField()
    side = EnumField(type_name="position_side", enum=Side)
    foreign = models.BooleanField(default=False, help_text="also what we did not open")
    reason = models.TextField()
    asked_by = models.TextField()
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    outcome = models.TextField(blank=True, default="")

    objects = CloseRequestQuerySet.as_manager()

    class Meta:
        db_table = "close_request"
        constraints = [
            models.UniqueConstraint(
                name="close_request_open", fields=["account", "symbol", "side"], condition=Q(done_at=None)
            ),
            models.CheckConstraint(
                name="close_request_signed", condition=~Q(reason="") & ~Q(asked_by="") & ~Q(symbol="")
            ),
            models.CheckConstraint(
                name="close_request_ended",
                condition=Q(done_at=None, outcome="") | (Q(done_at__isnull=False) & ~Q(outcome="")),
            ),
        ]
        indexes = [models.Index(name="close_request_newest", fields=["-asked_at"])]

    def __str__(self) -> str:
        return f"{self.symbol} {self.side} by {self.asked_by}"
