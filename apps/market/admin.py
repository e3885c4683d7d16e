"""The market room's tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.admin_base.cell import coloured, figures, link, number, plain_fields
from apps.admin_base.table import BigTableAdmin, ExactFilter, ReadOnlyAdmin, TimeRangeFilter
from apps.engine.values.errors import TradingError
from apps.market.blacklist import set_entry
from apps.market.models import Contract, ContractFault, Kline, MarketSeries, VenueStamp


class ReasonForm(forms.Form):
    """What whoever acts on contracts must say."""

    reason = forms.CharField(
        label="Why?",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autofocus": True}),
        help_text="Kept with your name in the operator actions.",
    )


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
        "blacklisted",
        "decisions",
        "candles",
    )
    list_filter = ("status", "quote")
    search_fields = ("symbol",)
    fields = readonly_fields = ("universe", *plain_fields(Contract))
    actions: Sequence[Any] | None = ("lift_blacklist",)

    memberships: Callable[[str, datetime], dict[str, str]] | None = None
    """Profile → what its universe says of a symbol now. Others know it: apps/console/apps.py sets this."""

    @admin.display(description="universe")
    def universe(self, contract: Contract) -> str:
        if self.memberships is None:
            return "–"
        try:
            return figures(self.memberships(contract.symbol, timezone.now()))
        except TradingError as fault:  # a profile's file, or MTF_SYMBOLS_TO_WATCH
            return str(fault)

    @admin.display(ordering="blacklisted_until", description="blacklisted until")
    def blacklisted(self, contract: Contract) -> str:
        until = contract.blacklisted_until
        return (
            f"{until:%d %b %H:%M}: {contract.blacklist_reason}" if until and until > timezone.now() else "–"
        )

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("market.change_contract")

    def has_queue_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("switches.add_symbolqueue")

    @admin.action(description="Lift the blacklist", permissions=["lift"])
    def lift_blacklist(self, request: HttpRequest, chosen: QuerySet[Contract]) -> HttpResponse | None:
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return self.ask(request, chosen, form, "Lift the blacklist")
        symbols = [contract.symbol for contract in chosen]
        who, reason = request.user.get_username(), form.cleaned_data["reason"]
        lifted = set_entry(symbols, until=None, reason=reason, actor=who)
        self.message_user(request, f"{lifted} of {len(symbols)} contracts lifted.", messages.SUCCESS)
        return None

    def ask(
        self, request: HttpRequest, chosen: QuerySet[Contract], form: forms.Form, title: str
    ) -> HttpResponse:
        """Return the page that asks for what an action on `chosen` needs besides them."""
        context = self.admin_site.each_context(request) | {
            "title": f"{title}: {len(chosen)} contract{'s' if len(chosen) > 1 else ''}",
            "opts": self.model._meta,
            "form": form,
            "chosen": chosen,
            "action": request.POST["action"],
        }
        return render(request, "admin/market/ask.html", context)

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


@admin.register(ContractFault)
class ContractFaultAdmin(ReadOnlyAdmin):
    list_display = ("happened_at", "symbol", "kind", "detail")
    list_filter = (("symbol", ExactFilter), ("kind", ExactFilter))


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
