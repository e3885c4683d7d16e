"""The market room's tables."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from apps.admin_base.cell import coloured, link, number, plain_fields
from apps.admin_base.table import BigTableAdmin, ReadOnlyAdmin, TimeRangeFilter
from apps.market.models import Contract, Kline, MarketSeries, VenueStamp


@admin.register(Contract)
class ContractAdmin(ReadOnlyAdmin):
    list_display = (
        "symbol",
        "state",
        number("last_price"),
        "change_24h",
        "turnover",
        "funding",
        number("max_leverage"),
        "decisions",
        "candles",
    )
    list_filter = ("status", "quote")
    search_fields = ("symbol",)
    fields = readonly_fields = plain_fields(Contract)

    @coloured("status", {"Trading": "success", "Delisted": "danger"}, ordering="status")
    def state(self, contract: Contract) -> str:
        return contract.status

    @admin.display(ordering="change_24h_ratio", description="24 h")
    def change_24h(self, contract: Contract) -> str:
        return f"{contract.change_24h_ratio:+.2%}"

    @admin.display(ordering="turnover_24h", description="24 h turnover")
    def turnover(self, contract: Contract) -> str:
        return f"{contract.turnover_24h:,.0f}"

    @admin.display(ordering="funding_rate_ratio", description="funding")
    def funding(self, contract: Contract) -> str:
        return f"{contract.funding_rate_ratio:+.4%}/{contract.funding_interval_hours}h"

    @admin.display(description="decisions")
    def decisions(self, contract: Contract) -> str:
        return link("audit_mtfaudit_changelist", "audit", q=contract.symbol)

    @admin.display(description="candles")
    def candles(self, contract: Contract) -> str:
        return link("market_kline_changelist", "candles", q=contract.symbol)


@admin.register(Kline)
class KlineAdmin(BigTableAdmin):
    list_display = (
        "symbol",
        "timeframe",
        "open_time",
        number("open_price", "open"),
        number("high_price", "high"),
        number("low_price", "low"),
        number("close_price", "close"),
        number("volume"),
        "source",
        "updated_at",
    )
    list_filter = (("timeframe", ChoicesDropdownFilter), ("open_time", TimeRangeFilter))
    ordering = ("-id",)
    fields = readonly_fields = plain_fields(Kline)


@admin.register(MarketSeries)
class MarketSeriesAdmin(ReadOnlyAdmin):
    list_display = ("symbol", "timeframe", "first_open", "last_open", "version")
    list_filter = (("timeframe", ChoicesDropdownFilter),)
    search_fields = ("symbol",)
    ordering = ("symbol", "timeframe")
    sortable_by = ()


@admin.register(VenueStamp)
class VenueStampAdmin(ReadOnlyAdmin):
    list_display = ("venue", "stamped_at")
