"""What exists at the exchange: opening orders and all our trades."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q

from apps.db.enum import EnumField
from apps.engine.values.book import part_of
from apps.engine.values.entry import OrderType
from apps.engine.values.order import OrderStatus, TimeInForce
from apps.engine.values.position import Side
from apps.orders.models.plan import AccountQuerySet, OrderPlan
from apps.orders.models.position import Position

OPEN_ORDER = (
    OrderStatus.SUBMITTING,
    OrderStatus.UNKNOWN,
    OrderStatus.SUBMITTED,
    OrderStatus.PARTIALLY_FILLED,
)
"""An order that rests at the exchange, or may."""


class ExchangeOrderQuerySet(AccountQuerySet["ExchangeOrder"]):
    def open(self) -> Self:
        """Those that rest at the exchange, or may."""
        return self.filter(status__in=OPEN_ORDER)

    def rest_waits(self, now: datetime) -> Self:
        """Those that are over, taken back for their rest to be sent anew, while it may be."""
        return self.filter(fallback_before__gt=now).exclude(status__in=OPEN_ORDER)


class ExchangeOrder(models.Model):
    """One attempt to open a tranche. Written before it is sent; `exchange_order_id` is "" until it is known.

    `average_price` is 0 while nothing filled, and exact as the exchange tells it. Signed by `send_before` or
    never; `looked_up` counts look-ups by client id, `absent_reads` the complete reads that showed it nowhere.
    """

    account = models.TextField()
    symbol = models.TextField()
    plan = models.ForeignKey(OrderPlan, models.PROTECT, null=True, related_name="orders")
    decision_key = models.TextField(blank=True, default="", help_text="empty for an adopted order")
    profile = models.TextField(blank=True, default="")
    timeframes = models.JSONField(default=list, help_text="a switch of any of them covers it")
    tranche = models.PositiveSmallIntegerField(default=0, help_text="from 0, nearest to the market first")
    tranches = models.PositiveSmallIntegerField(default=1, help_text="of its decision")
    attempt = models.PositiveSmallIntegerField()
    side = EnumField(type_name="position_side", enum=Side)
    status = EnumField(type_name="order_status", enum=OrderStatus)
    client_order_id = models.TextField()
    exchange_order_id = models.TextField(blank=True, default="")
    price = models.DecimalField(max_digits=28, decimal_places=12)
    stop_price = models.DecimalField(max_digits=28, decimal_places=12, null=True)
    target_price = models.DecimalField(max_digits=28, decimal_places=12, null=True)
    exit_json = models.JSONField(default=dict, help_text="the rules by which it is left, as planned")
    entry_json = models.JSONField(default=dict, help_text="how it is sent, and when it is taken back")
    size = models.DecimalField(max_digits=28, decimal_places=12, help_text="contracts")
    filled = models.DecimalField(max_digits=28, decimal_places=12, default=0)
    average_price = models.DecimalField(max_digits=50, decimal_places=30, default=0)
    sent_at = models.DateTimeField()
    send_before = models.DateTimeField()
    expires_at = models.DateTimeField()
    cancel_asked_at = models.DateTimeField(null=True)
    fallback_before = models.DateTimeField(
        null=True,
        help_text="until when its rest may be sent anew; sent_at: given up; NULL: it never was to be",
    )
    looked_up = models.PositiveIntegerField(default=0)
    absent_reads = models.PositiveIntegerField(default=0)
    reason = models.TextField(blank=True, default="", help_text="the exchange's or our why")
    updated_at = models.DateTimeField(help_text="our clock at its last event")

    objects = ExchangeOrderQuerySet.as_manager()

    class Meta:
        db_table = "exchange_order"
        verbose_name = "order"
        constraints = [
            models.UniqueConstraint(name="exchange_order_client_id", fields=["client_order_id"]),
            models.UniqueConstraint(
                name="exchange_order_attempt",
                fields=["plan", "tranche", "attempt"],
                condition=Q(plan__isnull=False),
            ),
            models.UniqueConstraint(
                name="exchange_order_id",
                fields=["account", "exchange_order_id"],
                condition=~Q(exchange_order_id=""),
            ),
            models.CheckConstraint(
                name="exchange_order_filled",
                condition=Q(price__gte=0, size__gt=0, filled__gte=0, filled__lte=F("size")),
            ),
            models.CheckConstraint(name="exchange_order_tranche", condition=Q(tranche__lt=F("tranches"))),
            models.CheckConstraint(
                name="exchange_order_average",
                condition=Q(average_price=0) | Q(filled__gt=0, average_price__gt=0),
            ),
        ]
        indexes = [
            models.Index(name="exchange_order_status", fields=["account", "status"]),
            models.Index(name="exchange_order_symbol", fields=["account", "symbol", "-updated_at"]),
            models.Index(name="exchange_order_newest", fields=["-sent_at"]),
            models.Index(
                name="exchange_order_fallback",
                fields=["account", "fallback_before"],
                condition=Q(fallback_before__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.client_order_id}"

    @property
    def order_type(self) -> str:
        """Return `limit`, or `market` for what takes from the book at once."""
        return str(self.entry_json.get("order_type", OrderType.LIMIT))

    @property
    def time_in_force(self) -> str:
        return str(self.entry_json.get("time_in_force", TimeInForce.GTC))

    @property
    def part(self) -> str:
        """Which of several tranches it is, `2/3`; "" where there is one."""
        return part_of(self.tranche, self.tranches)


class Fill(models.Model):
    """One trade of ours, once. `fee` positive when paid; `realised` without the fee; settle currency."""

    account = models.TextField()
    trade_id = models.TextField()
    symbol = models.TextField()
    side = EnumField(type_name="position_side", enum=Side)
    opens = models.BooleanField()
    order = models.ForeignKey(ExchangeOrder, models.PROTECT, null=True, related_name="fills")
    position = models.ForeignKey(Position, models.PROTECT, null=True, related_name="fills")
    exchange_order_id = models.TextField()
    price = models.DecimalField(max_digits=28, decimal_places=12)
    size = models.DecimalField(max_digits=28, decimal_places=12, help_text="contracts")
    fee = models.DecimalField(max_digits=28, decimal_places=12)
    realised = models.DecimalField(max_digits=28, decimal_places=12)
    is_maker = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        db_table = "fill"
        constraints = [
            models.UniqueConstraint(name="fill_trade_id", fields=["account", "symbol", "trade_id"]),
            models.CheckConstraint(name="fill_positive", condition=Q(price__gt=0, size__gt=0)),
        ]
        indexes = [
            models.Index(name="fill_symbol", fields=["account", "symbol", "-at"]),
            models.Index(name="fill_newest", fields=["-at"]),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.size.normalize():f} @ {self.price.normalize():f}"
