"""Intentions: the plans of decisions that were claimed, and the locks they hold."""

from __future__ import annotations

from typing import Self, TypeVar

from django.db import models
from django.db.models import F, Q

from apps.db.enum import EnumField
from apps.engine.values.book import part_of
from apps.engine.values.entry import OrderType
from apps.engine.values.order import OrderStatus, TimeInForce
from apps.engine.values.position import Side
from apps.engine.values.timeframe import Timeframe

Row = TypeVar("Row", bound=models.Model)

WAITING_PLAN = (OrderStatus.PLANNED, OrderStatus.PENDING_REVIEW, OrderStatus.APPROVED)
"""A plan of which nothing was sent yet."""

_LONG = Q(side=Side.LONG.value, stop_price__lt=F("entry_price"), target_price__gt=F("entry_price"))
_SHORT = Q(side=Side.SHORT.value, stop_price__gt=F("entry_price"), target_price__lt=F("entry_price"))


class AccountQuerySet(models.QuerySet[Row]):
    def for_account(self, account: str) -> Self:
        return self.filter(account=account)


class OrderPlanQuerySet(AccountQuerySet["OrderPlan"]):
    def waiting(self) -> Self:
        """Those of which nothing was sent yet."""
        return self.filter(status__in=WAITING_PLAN)

    def in_review(self) -> Self:
        """Those that wait for a person's answer."""
        return self.filter(status=OrderStatus.PENDING_REVIEW)

    def approved(self) -> Self:
        """Those a person approved and nobody claimed since."""
        return self.filter(status=OrderStatus.APPROVED)


class SymbolLockQuerySet(AccountQuerySet["SymbolLock"]):
    def alive(self) -> Self:
        return self.filter(released_at=None)


class OrderPlan(models.Model):
    """One decision that may become one order; risk, margin and notional are reserved while its lock lives.

    `risk_json` says how the size was found, `context_json` what was looked at, `exec_json` what is sent.
    """

    account = models.TextField()
    symbol = models.TextField()
    side = EnumField(type_name="position_side", enum=Side)
    status = EnumField(type_name="order_status", enum=OrderStatus)
    decision_key = models.TextField()
    client_order_id = models.TextField()
    plan_time = models.DateTimeField()
    profile = models.TextField()
    digest = models.CharField(max_length=64)
    run_id = models.UUIDField()
    timeframe = EnumField(type_name="timeframe", enum=Timeframe)
    entry_price = models.DecimalField(max_digits=28, decimal_places=12)
    stop_price = models.DecimalField(max_digits=28, decimal_places=12)
    target_price = models.DecimalField(max_digits=28, decimal_places=12)
    size = models.DecimalField(max_digits=28, decimal_places=12, help_text="contracts")
    leverage = models.PositiveSmallIntegerField()
    risk_usdt = models.DecimalField(max_digits=28, decimal_places=12)
    margin_usdt = models.DecimalField(max_digits=28, decimal_places=12)
    notional_usdt = models.DecimalField(max_digits=28, decimal_places=12)
    zone_expires_at = models.DateTimeField()
    risk_json = models.JSONField(default=dict)
    context_json = models.JSONField(default=dict)
    exec_json = models.JSONField(default=dict)
    reason = models.TextField(blank=True, default="", help_text="why it ended without a fill")
    reviewed_by = models.TextField(blank=True, default="")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField()

    objects = OrderPlanQuerySet.as_manager()

    class Meta:
        db_table = "order_plan"
        permissions = [("review_orderplan", "Can approve or reject order plans")]
        constraints = [
            models.UniqueConstraint(name="order_plan_decision", fields=["decision_key"]),
            models.UniqueConstraint(name="order_plan_client_id", fields=["client_order_id"]),
            models.CheckConstraint(name="order_plan_prices", condition=_LONG | _SHORT),
            models.CheckConstraint(
                name="order_plan_positive",
                condition=Q(
                    entry_price__gt=0,
                    stop_price__gt=0,
                    target_price__gt=0,
                    size__gt=0,
                    leverage__gt=0,
                    risk_usdt__gt=0,
                    margin_usdt__gt=0,
                    notional_usdt__gt=0,
                ),
            ),
            models.CheckConstraint(
                name="order_plan_reviewed",
                condition=Q(reviewed_by="", reviewed_at=None)
                | (~Q(reviewed_by="") & Q(reviewed_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(name="order_plan_newest", fields=["-plan_time"]),
            models.Index(name="order_plan_status", fields=["account", "status", "-plan_time"]),
            models.Index(name="order_plan_symbol", fields=["symbol", "-plan_time"]),
            models.Index(name="order_plan_run", fields=["run_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.side} {self.plan_time:%Y-%m-%d %H:%M} {self.status}"

    @property
    def order_type(self) -> str:
        """Return `limit` or `market`, as planned; a rest of the one may be taken from the book later."""
        return str(self.exec_json.get("entry_rules", {}).get("order_type", OrderType.LIMIT))

    @property
    def time_in_force(self) -> str:
        return str(self.exec_json.get("entry_rules", {}).get("time_in_force", TimeInForce.GTC))

    @property
    def tranches(self) -> list[dict[str, str]]:
        """Each of several tranches as planned, nearest first: `part` (`1/3`), price, size and risk."""
        scaled = self.exec_json.get("scaled") or ()
        return [{"part": part_of(number, len(scaled)), **each} for number, each in enumerate(scaled)]


class SymbolLock(models.Model):
    """Held from the claim until the symbol is flat and clean; at most one alive per account and symbol."""

    account = models.TextField()
    symbol = models.TextField()
    plan = models.ForeignKey(OrderPlan, models.PROTECT, related_name="locks")
    locked_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    objects = SymbolLockQuerySet.as_manager()

    class Meta:
        db_table = "symbol_lock"
        constraints = [
            models.UniqueConstraint(
                name="symbol_lock_alive", fields=["account", "symbol"], condition=Q(released_at=None)
            ),
            models.CheckConstraint(
                name="symbol_lock_span",
                condition=Q(released_at=None) | Q(released_at__gte=F("locked_at")),
            ),
        ]
        indexes = [
            models.Index(name="symbol_lock_newest", fields=["-locked_at"]),
            models.Index(name="symbol_lock_released", fields=["account", "symbol", "released_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} since {self.locked_at:%Y-%m-%d %H:%M}"
