"""The market room's tables."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter

from apps.market.models import Contract, Kline, MarketSeries, VenueStamp
from apps.postgres.browse import BigTableAdmin, ReadOnlyAdmin, coloured, link


@admin.register(Contract)
class ContractAdmin(ReadOnlyAdmin):
    list_display = (
        "symbol",
        "state",
        "last_price",
        "change_24h",
        "turnover_24h",
        "funding_rate_ratio",
        "max_leverage",
        "tick_size",
        "contract_size",
        "synced_at",
        "candles",
    )
    list_filter = ("status", "quote")
    search_fields = ("symbol",)

    @coloured("status", {"Trading": "success", "Delisted": "danger"}, ordering="status")
    def state(self, contract: Contract) -> str:
        return contract.status

    @admin.display(ordering="change_24h_ratio", description="24 h")
    def change_24h(self, contract: Contract) -> str:
        return f"{contract.change_24h_ratio:+.2%}"

    @admin.display(description="candles")
    def candles(self, contract: Contract) -> str:
        return link("market_kline_changelist", "candles", q=contract.symbol)


@admin.register(Kline)
class KlineAdmin(BigTableAdmin):
    list_display = (
        "symbol",
        "timeframe",
        "open_time",
        "open_price",
        "high_price",
        "low_price",
        "close_price",
        "volume",
        "source",
        "updated_at",
    )
    list_filter = (("timeframe", ChoicesDropdownFilter), ("open_time", RangeDateTimeFilter))
    ordering = ("-id",)


@admin.register(MarketSeries)
class MarketSeriesAdmin(ReadOnlyAdmin):
    list_display = ("symbol", "timeframe", "first_open", "last_open", "version")
    list_filter = (("timeframe", ChoicesDropdownFilter),)
    search_fields = ("symbol",)
    ordering = ("symbol", "timeframe")


@admin.register(VenueStamp)
class VenueStampAdmin(ReadOnlyAdmin):
    list_display = ("venue", "stamped_at")
