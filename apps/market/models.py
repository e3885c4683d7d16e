"""What the exchange lists and what it traded."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.db.enum import EnumField
from apps.engine.values.candle import Source
from apps.engine.values.timeframe import Timeframe


class Contract(models.Model):
    """One perpetual contract; sizes in contracts, prices and turnover in quote currency."""

    symbol = models.TextField(unique=True)
    base = models.TextField()
    quote = models.TextField()
    contract_size = models.DecimalField(max_digits=28, decimal_places=12)
    tick_size = models.DecimalField(max_digits=28, decimal_places=12)
    volume_step = models.DecimalField(max_digits=28, decimal_places=12)
    min_volume = models.DecimalField(max_digits=28, decimal_places=12)
    max_volume = models.DecimalField(max_digits=28, decimal_places=12)
    market_max_volume = models.DecimalField(max_digits=28, decimal_places=12)
    min_leverage = models.DecimalField(max_digits=12, decimal_places=4)
    max_leverage = models.DecimalField(max_digits=12, decimal_places=4)
    status = models.TextField()
    listed_at = models.DateTimeField(null=True, blank=True)
    delist_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    settles_at = models.DateTimeField(null=True, blank=True)
    last_price = models.DecimalField(max_digits=28, decimal_places=12)
    index_price = models.DecimalField(max_digits=28, decimal_places=12)
    volume_24h = models.DecimalField(max_digits=32, decimal_places=12)
    turnover_24h = models.DecimalField(max_digits=32, decimal_places=12)
    high_24h = models.DecimalField(max_digits=28, decimal_places=12)
    low_24h = models.DecimalField(max_digits=28, decimal_places=12)
    change_24h_ratio = models.DecimalField(max_digits=28, decimal_places=16)
    open_interest = models.DecimalField(max_digits=32, decimal_places=12)
    open_interest_value = models.DecimalField(max_digits=32, decimal_places=12)
    funding_rate_ratio = models.DecimalField(max_digits=24, decimal_places=16)
    expected_funding_rate_ratio = models.DecimalField(max_digits=24, decimal_places=16)
    funding_interval_hours = models.PositiveSmallIntegerField()
    funding_at = models.DateTimeField(null=True, blank=True)
    blacklist_reason = models.TextField(blank=True, default="", db_default="")
    blacklisted_until = models.DateTimeField(null=True, blank=True)
    blacklisted_by = models.TextField(blank=True, default="", db_default="")
    synced_at = models.DateTimeField()

    class Meta:
        db_table = "contracts"
        ordering = ["symbol"]
        constraints = [
            models.CheckConstraint(
                name="contracts_positive",
                condition=Q(contract_size__gt=0, tick_size__gt=0, volume_step__gt=0, min_volume__gt=0),
            ),
            models.CheckConstraint(name="contracts_volumes", condition=Q(max_volume__gte=F("min_volume"))),
        ]

    def __str__(self) -> str:
        return self.symbol


class ContractFault(models.Model):
    """One failure that is the contract's own; several in a row blacklist it. A success deletes them."""

    symbol = models.TextField()
    kind = models.TextField(help_text="where it failed: judge or entry")
    detail = models.TextField()
    happened_at = models.DateTimeField()

    class Meta:
        db_table = "contract_fault"
        ordering = ["-happened_at"]
        verbose_name = "contract fault"
        indexes = [models.Index(name="contract_fault_symbol", fields=["symbol", "kind"])]

    def __str__(self) -> str:
        return f"{self.symbol} {self.kind} {self.happened_at:%Y-%m-%d %H:%M}"


class Kline(models.Model):
    """One closed candle. In the database the table is partitioned by timeframe (see the migration)."""

    symbol = models.TextField()
    timeframe = EnumField(type_name="timeframe", enum=Timeframe)
    open_time = models.DateTimeField()
    open_price = models.DecimalField(max_digits=24, decimal_places=12)
    high_price = models.DecimalField(max_digits=24, decimal_places=12)
    low_price = models.DecimalField(max_digits=24, decimal_places=12)
    close_price = models.DecimalField(max_digits=24, decimal_places=12)
    volume = models.DecimalField(max_digits=28, decimal_places=12)
    source = EnumField(type_name="candle_source", enum=Source)
    inserted_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "klines"
        verbose_name = "candle"
        constraints = [
            models.UniqueConstraint(name="klines_key", fields=["symbol", "timeframe", "open_time"]),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.timeframe} {self.open_time:%Y-%m-%d %H:%M}"


class MarketSeries(models.Model):
    """One row a symbol and timeframe; `version` counts its klines inserted or changed, transactionally."""

    symbol = models.TextField()
    timeframe = EnumField(type_name="timeframe", enum=Timeframe)
    first_open = models.DateTimeField()
    last_open = models.DateTimeField()
    version = models.BigIntegerField()

    class Meta:
        db_table = "market_series"
        verbose_name_plural = "market series"
        constraints = [
            models.UniqueConstraint(name="market_series_key", fields=["symbol", "timeframe"]),
            models.CheckConstraint(name="market_series_span", condition=Q(first_open__lte=F("last_open"))),
            models.CheckConstraint(name="market_series_version", condition=Q(version__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.timeframe}"


class VenueStamp(models.Model):
    """The one venue this database belongs to: mixing two would make every stored number a lie."""

    venue = models.TextField()
    stamped_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "venue_stamp"
        constraints = [models.CheckConstraint(name="venue_stamp_single", condition=Q(id=1))]

    def __str__(self) -> str:
        return self.venue
