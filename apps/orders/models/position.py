"""What is held, and what protects it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Self

from django.db import models
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from apps.db.enum import EnumField
from apps.engine.values.order import ProtectionKind
from apps.engine.values.position import PositionStatus, ProtectionStatus, Side
from apps.orders.models.plan import AccountQuerySet, OrderPlan

RESTING_PROTECTION = (ProtectionStatus.PLACING, ProtectionStatus.ACTIVE, ProtectionStatus.REPLACING)
"""A protective order that can still fire."""

_EXCURSION = ("best_price", "worst_price", "mfe_pct", "mae_pct")


class PositionQuerySet(AccountQuerySet["Position"]):
    def open(self) -> Self:
        return self.filter(closed_at=None)

    def ours(self) -> Self:
        return self.exclude(status=PositionStatus.FOREIGN)

    def closed_since(self, moment: datetime) -> Self:
        return self.filter(closed_at__gte=moment)

    def missing_fills(self) -> Self:
        """Those whose stored trades open and close different sizes, or nothing: their result is not known."""
        opened = Coalesce(Sum("fills__size", filter=Q(fills__opens=True)), Decimal(0))
        closing = Coalesce(Sum("fills__size", filter=Q(fills__opens=False)), Decimal(0))
        sums = self.annotate(opened=opened, closing=closing)
        return sums.filter(~Q(opened=F("closing")) | Q(opened=0))


class ProtectionQuerySet(AccountQuerySet["Protection"]):
    def resting(self) -> Self:
        """Those that can still fire."""
        return self.filter(status__in=RESTING_PROTECTION)


class Position(models.Model):
    """One exposure from its first fill to flat. `size` in contracts, 0 once closed; money in settle currency.

    `realised_usdt` = gross of its fills − fees + funding; `r_multiple` = that ÷ the plan's risk.
    `mark_price` and `unrealised_usdt` are as the exchange told at `marked_at`, NULL where it did not; what is
    closed has none. `best_price` … `mae_r` are its excursion by 1m candles; NULL while those are not stored.
    """

    account = models.TextField()
    symbol = models.TextField()
    side = EnumField(type_name="position_side", enum=Side)
    status = EnumField(type_name="position_status", enum=PositionStatus)
    plan = models.ForeignKey(OrderPlan, models.PROTECT, null=True, related_name="positions")
    decision_key = models.TextField(blank=True, default="", help_text="empty when we did not open it")
    profile = models.TextField(blank=True, default="")
    size = models.DecimalField(max_digits=28, decimal_places=12)
    max_size = models.DecimalField(max_digits=28, decimal_places=12)
    entry_price = models.DecimalField(max_digits=50, decimal_places=30)
    exit_price = models.DecimalField(max_digits=50, decimal_places=30, null=True)
    stop_price = models.DecimalField(max_digits=28, decimal_places=12, null=True)
    target_price = models.DecimalField(max_digits=28, decimal_places=12, null=True)
    next_stop_price = models.DecimalField(
        max_digits=28, decimal_places=12, null=True, help_text="a tighter stop that was asked for"
    )
    risk_usdt = models.DecimalField(max_digits=28, decimal_places=12, null=True)
    exit_json = models.JSONField(default=dict, help_text="the rules by which it is left, as planned")
    opened_at = models.DateTimeField()
    naked_since = models.DateTimeField(
        null=True, help_text="without a stop that was read back; NULL: protected"
    )
    stops_asked = models.PositiveIntegerField(default=0)
    stop_asked_at = models.DateTimeField(null=True)
    targets_asked = models.PositiveIntegerField(default=0)
    target_asked_at = models.DateTimeField(null=True)
    first_targets_asked = models.PositiveIntegerField(default=0)
    first_target_asked_at = models.DateTimeField(null=True)
    recalculated_at = models.DateTimeField(null=True, help_text="when its stop was last reckoned anew")
    closes_asked = models.PositiveIntegerField(default=0)
    close_asked_at = models.DateTimeField(null=True)
    flat_since = models.DateTimeField(null=True)
    protected_at = models.DateTimeField(null=True, help_text="first time a stop for all of it was read back")
    closed_at = models.DateTimeField(null=True)
    close_reason = models.TextField(blank=True, default="")
    gross_usdt = models.DecimalField(max_digits=28, decimal_places=12, null=True)
    fees_usdt = models.DecimalField(max_digits=28, decimal_places=12, null=True)
    funding_usdt = models.DecimalField(max_digits=28, decimal_places=12, null=True)
    realised_usdt = models.DecimalField(max_digits=28, decimal_places=12, null=True)
    r_multiple = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    best_price = models.DecimalField(max_digits=28, decimal_places=12, null=True)
    worst_price = models.DecimalField(max_digits=28, decimal_places=12, null=True)
    mfe_pct = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    mae_pct = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    mfe_r = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    mae_r = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    mark_price = models.DecimalField(max_digits=28, decimal_places=12, null=True)
    unrealised_usdt = models.DecimalField(max_digits=28, decimal_places=12, null=True)
    marked_at = models.DateTimeField(null=True, help_text="when mark price and unrealised result were read")
    updated_at = models.DateTimeField()

    objects = PositionQuerySet.as_manager()

    class Meta:
        db_table = "position"
        constraints = [
            models.UniqueConstraint(
                name="position_open",
                fields=["account", "symbol", "side"],
                condition=~Q(status=PositionStatus.CLOSED.value),
            ),
            models.CheckConstraint(
                name="position_size",
                condition=Q(size__gte=0, size__lte=F("max_size"), max_size__gt=0, entry_price__gte=0),
            ),
            models.CheckConstraint(
                name="position_closed",
                condition=Q(
                    status=PositionStatus.CLOSED.value,
                    size=0,
                    closed_at__isnull=False,
                    realised_usdt__isnull=False,
                )
                | (~Q(status=PositionStatus.CLOSED.value) & Q(closed_at=None, size__gt=0)),
            ),
            models.CheckConstraint(
                name="position_excursion",
                condition=Q(**dict.fromkeys(_EXCURSION, None), mfe_r=None, mae_r=None)
                | Q(**{f"{name}__isnull": False for name in _EXCURSION}, mfe_pct__gte=0, mae_pct__gte=0),
            ),
        ]
        indexes = [
            models.Index(name="position_newest", fields=["-opened_at"]),
            models.Index(name="position_symbol", fields=["symbol", "-opened_at"]),
            models.Index(name="position_closed_at", fields=["account", "closed_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.side} {self.opened_at:%Y-%m-%d %H:%M} {self.status}"


class Protection(models.Model):
    """A protective order: fires on the last price, closes at market. `size` NULL is the whole position."""

    account = models.TextField()
    symbol = models.TextField()
    side = EnumField(type_name="position_side", enum=Side)
    position = models.ForeignKey(Position, models.PROTECT, null=True, related_name="protections")
    kind = EnumField(type_name="protection_kind", enum=ProtectionKind)
    status = EnumField(type_name="protection_status", enum=ProtectionStatus)
    trigger_price = models.DecimalField(max_digits=28, decimal_places=12)
    size = models.DecimalField(max_digits=28, decimal_places=12, null=True)
    client_order_id = models.TextField(blank=True, default="")
    exchange_order_id = models.TextField(blank=True, default="")
    placed_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, help_text="read back from the exchange")
    updated_at = models.DateTimeField()

    objects = ProtectionQuerySet.as_manager()

    class Meta:
        db_table = "protection"
        constraints = [
            models.UniqueConstraint(
                name="protection_id",
                fields=["account", "exchange_order_id"],
                condition=~Q(exchange_order_id=""),
            ),
            models.CheckConstraint(
                name="protection_positive", condition=Q(trigger_price__gt=0) & (Q(size=None) | Q(size__gt=0))
            ),
        ]
        indexes = [
            models.Index(name="protection_symbol", fields=["account", "symbol", "status"]),
            models.Index(name="protection_newest", fields=["-placed_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.kind} {self.trigger_price.normalize():f} {self.status}"
