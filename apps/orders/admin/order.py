"""Orders at the exchange, their trades, and the account's money."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateFilter

from apps.admin_base.cell import coloured, link, number, plain_fields
from apps.admin_base.table import BigTableAdmin, ExactFilter, ReadOnlyAdmin, TimeRangeFilter, UncountedAdmin
from apps.orders.admin.plan import ORDERS, SIDES
from apps.orders.models import (
    AccountTransaction,
    DailyLossReset,
    EquityPoint,
    ExchangeOrder,
    Fill,
    RiskDay,
)


@admin.register(ExchangeOrder)
class ExchangeOrderAdmin(BigTableAdmin):
    list_display = (
        "sent_at",
        "symbol",
        "coloured_side",
        "coloured_status",
        "reason",
        "sent_as",
        number("price"),
        number("size"),
        number("filled"),
        number("average_price", "average"),
        "which_tranche",
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
    fields = readonly_fields = ["plan_link", "fills_link", "sent_as", *plain_fields(ExchangeOrder)]

    @coloured("side", SIDES)
    def coloured_side(self, order: ExchangeOrder) -> str:
        return str(order.side)

    @coloured("status", ORDERS, ordering="status")
    def coloured_status(self, order: ExchangeOrder) -> str:
        return str(order.status)

    @admin.display(description="type")
    def sent_as(self, order: ExchangeOrder) -> str:
        return f"{order.order_type} {order.time_in_force}"

    @admin.display(description="tranche", ordering="tranche")
    def which_tranche(self, order: ExchangeOrder) -> str:
        return order.part or "–"

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


@admin.register(DailyLossReset)
class DailyLossResetAdmin(ReadOnlyAdmin):
    list_display = ("at", "reset_by", "reason", "account")
    list_filter = (("account", ExactFilter), ("reset_by", ExactFilter), ("at", TimeRangeFilter))
    ordering = ("-at", "-id")
    fields = readonly_fields = plain_fields(DailyLossReset)
