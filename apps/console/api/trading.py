"""The orders room and its events, read-only: orders, fills, positions, equity, what happened."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_view
from rest_framework import serializers

from apps.audit.models import TradeLifecycleEvent
from apps.console.api.fields import Name
from apps.console.api.listing import Listing, listed
from apps.console.api.paging import Order, PageQuery, moment, whole
from apps.engine.values.order import OrderStatus
from apps.engine.values.position import PositionStatus
from apps.engine.values.side import Side
from apps.orders.models import EquityPoint, ExchangeOrder, Fill, Position

POSITION_STATUSES = [status.value for status in PositionStatus]
SIDES = [side.value for side in Side]
ORDER_STATUSES = [status.value for status in OrderStatus]


class SpanQuery(PageQuery):
    account = Name(required=False)
    since = serializers.DateTimeField(required=False, help_text="at or after")
    until = serializers.DateTimeField(required=False, help_text="before")


class SymbolQuery(SpanQuery):
    symbol = Name(required=False)


class TradeQuery(SymbolQuery):
    decision_key = Name(required=False, max_length=200)
    profile = Name(required=False)


class PositionQuery(TradeQuery):
    status = serializers.ChoiceField(choices=POSITION_STATUSES, required=False)


class OrderQuery(TradeQuery):
    status = serializers.ChoiceField(choices=ORDER_STATUSES, required=False)


class EventQuery(TradeQuery):
    run_id = serializers.UUIDField(required=False)
    event_type = Name(required=False)


class PositionRow(serializers.ModelSerializer[Position]):
    class Meta:
        model = Position
        fields = "__all__"


class OrderRow(serializers.ModelSerializer[ExchangeOrder]):
    class Meta:
        model = ExchangeOrder
        fields = "__all__"


class FillRow(serializers.ModelSerializer[Fill]):
    class Meta:
        model = Fill
        fields = "__all__"


class EventRow(serializers.ModelSerializer[TradeLifecycleEvent]):
    class Meta:
        model = TradeLifecycleEvent
        fields = "__all__"


class EquityRow(serializers.ModelSerializer[EquityPoint]):
    class Meta:
        model = EquityPoint
        exclude = ("id",)


@extend_schema_view(get=listed(PositionQuery, PositionRow, "Positions by when they opened, newest first"))
class Positions(Listing):
    query = PositionQuery
    row = PositionRow
    order = Order([("opened_at", moment), ("id", whole)])

    def rows(self, wanted: dict[str, Any]) -> QuerySet[Position]:
        return Position.objects.filter(**_span(wanted, "opened_at"))


@extend_schema_view(get=listed(OrderQuery, OrderRow, "Orders by when they were sent, newest first"))
class Orders(Listing):
    query = OrderQuery
    row = OrderRow
    order = Order([("sent_at", moment), ("id", whole)])

    def rows(self, wanted: dict[str, Any]) -> QuerySet[ExchangeOrder]:
        return ExchangeOrder.objects.filter(**_span(wanted, "sent_at"))


@extend_schema_view(get=listed(SymbolQuery, FillRow, "Our trades, newest first"))
class Fills(Listing):
    query = SymbolQuery
    row = FillRow
    order = Order([("at", moment), ("id", whole)])

    def rows(self, wanted: dict[str, Any]) -> QuerySet[Fill]:
        return Fill.objects.filter(**_span(wanted, "at"))


@extend_schema_view(get=listed(EventQuery, EventRow, "Each step of each trade, refusals too, newest first"))
class Events(Listing):
    query = EventQuery
    row = EventRow
    order = Order([("happened_at", moment), ("id", whole)])

    def rows(self, wanted: dict[str, Any]) -> QuerySet[TradeLifecycleEvent]:
        return TradeLifecycleEvent.objects.filter(**_span(wanted, "happened_at"))


@extend_schema_view(get=listed(SpanQuery, EquityRow, "What the account was worth, newest first"))
class Equity(Listing):
    query = SpanQuery
    row = EquityRow
    order = Order([("at", moment), ("id", whole)])

    def rows(self, wanted: dict[str, Any]) -> QuerySet[EquityPoint]:
        return EquityPoint.objects.filter(**_span(wanted, "at"))


def _span(wanted: dict[str, Any], column: str) -> dict[str, Any]:
    """The query as filters, `since` and `until` over `column`."""
    names = {"since": f"{column}__gte", "until": f"{column}__lt"}
    return {names.get(key, key): value for key, value in wanted.items()}
