"""Orders at the exchange, their trades, and the account's money."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateFilter

from apps.admin_base.cell import coloured, link, number, plain_fields
from apps.admin_base.table import BigTableAdmin, ExactFilter, ReadOnlyAdmin, TimeRangeFilter, UncountedAdmin
from apps.orders.admin.plan import ORDERS, SIDES
from apps.orders.models import AccountTransaction, EquityPoint, ExchangeOrder, Fill, RiskDay


@admin.register(ExchangeOrder)
class ExchangeOrderAdmin(BigTableAdmin):
    list_display = (
        "sent_at",
        "symbol",
        "coloured_side",
        "coloured_status",
        "reason",
        number("price"),
        number("size"),
        number("filled"),
        number("average_price", "average"),
        "attempt",
        "plan_link",
        "fills_link",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("account", ExactFilter),
        ("decision_key", ExactFilter),
        ("client_order_id", ExactFilter),
        ("exchange_order_id", ExactFilter),
        ("sent_at", TimeRangeFilter),
    )
    ordering = ("-sent_at", "-id")
    fields = readonly_fields = ["plan_link", "fills_link", *plain_fields(ExchangeOrder)]

    @coloured("side", SIDES)
    def coloured_side(self, order: ExchangeOrder) -> str:
        return str(order.side)

    @coloured("status", ORDERS, ordering="status")
    def coloured_status(self, order: ExchangeOrder) -> str:
        return str(order.status)

    @admin.display(description="plan")
    def plan_link(self, order: ExchangeOrder) -> str:
        if not order.decision_key:
            return "adopted"
        return link("orders_orderplan_changelist", "plan", decision_key=order.decision_key)

    @admin.display(description="fills")
    def fills_link(self, order: ExchangeOrder) -> str:
        return link("orders_fill_changelist", "fills", order__id__exact=order.pk)


@admin.register(Fill)
class FillAdmin(BigTableAdmin):
    list_display = (
        "at",
        "symbol",
        "coloured_side",
        "does",
        number("price"),
        number("size"),
        number("fee"),
        number("realised"),
        "is_maker",
        "order_link",
        "position_link",
    )
    list_filter = (
        ("account", ExactFilter),
        ("trade_id", ExactFilter),
        ("exchange_order_id", ExactFilter),
        ("at", TimeRangeFilter),
    )
    ordering = ("-at", "-id")
    fields = readonly_fields = ["order_link", "position_link", *plain_fields(Fill)]

    @coloured("side", SIDES)
    def coloured_side(self, fill: Fill) -> str:
        return str(fill.side)

    @admin.display(description="does")
    def does(self, fill: Fill) -> str:
        return "opens" if fill.opens else "closes"

    @admin.display(description="order")
    def order_link(self, fill: Fill) -> str:
        if fill.order_id is None:
            return fill.exchange_order_id
        return link("orders_exchangeorder_changelist", "order", exchange_order_id=fill.exchange_order_id)

    @admin.display(description="position")
    def position_link(self, fill: Fill) -> str:
        if fill.position_id is None:
            return "–"
        return link("orders_position_changelist", "position", id__exact=fill.position_id)


@admin.register(AccountTransaction)
class AccountTransactionAdmin(BigTableAdmin):
    list_display = ("at", "kind", number("amount"), "symbol", "transaction_id", "account")
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        ("account", ExactFilter),
        ("at", TimeRangeFilter),
    )
    ordering = ("-at", "-id")
    fields = readonly_fields = plain_fields(AccountTransaction)


@admin.register(EquityPoint)
class EquityPointAdmin(UncountedAdmin):
    list_display = (
        "at",
        number("equity"),
        number("available"),
        number("frozen"),
        number("position_margin"),
        number("unrealised"),
        "account",
    )
    list_filter = (("account", ExactFilter), ("at", TimeRangeFilter))
    ordering = ("-at", "-id")
    fields = readonly_fields = plain_fields(EquityPoint)


@admin.register(RiskDay)
class RiskDayAdmin(ReadOnlyAdmin):
    list_display = (
        "day",
        "profile",
        "trades",
        "wins",
        number("realised_usdt", "realised USDT"),
        number("fees_usdt", "fees USDT"),
        "account",
    )
    list_filter = (("account", ExactFilter), ("profile", ExactFilter), ("day", RangeDateFilter))
    ordering = ("-day", "profile")
    fields = readonly_fields = plain_fields(RiskDay)
