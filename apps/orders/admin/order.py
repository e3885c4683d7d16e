"""Orders at the exchange and their trades."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from apps.admin_base.cell import coloured, link, number, plain_fields
from apps.admin_base.table import BigTableAdmin, ExactFilter, TimeRangeFilter
from apps.orders.admin.colours import ORDERS, SIDES
from apps.orders.models import ExchangeOrder, Fill


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
