"""The account's plans, orders, fills, positions, equity and events, and the review of plans that wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.audit.models import TradeLifecycleEvent
from apps.console.api.error import Conflict, ErrorAnswer
from apps.console.api.page import Listing, Order, PageQuery, cursor_id, cursor_time, described
from apps.console.api.request import LONGEST_REASON, Name, Strict, body_of
from apps.engine.values.order import OrderStatus
from apps.engine.values.position import PositionStatus, Side
from apps.orders import store
from apps.orders.models import EquityPoint, ExchangeOrder, Fill, OrderPlan, Position

MAY_REVIEW = "orders.review_orderplan"
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
    order_type = serializers.CharField(read_only=True, help_text="limit or market")
    time_in_force = serializers.CharField(read_only=True)
    part = serializers.CharField(read_only=True, help_text="`2/3`: which of several tranches; else empty")

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


@described("Positions by when they opened, newest first")
class Positions(Listing):
    query = PositionQuery
    row = PositionRow
    order = Order([("opened_at", cursor_time), ("id", cursor_id)])
    time_column = "opened_at"


@described("Orders by when they were sent, newest first")
class Orders(Listing):
    query = OrderQuery
    row = OrderRow
    order = Order([("sent_at", cursor_time), ("id", cursor_id)])
    time_column = "sent_at"


@described("Our trades, newest first")
class Fills(Listing):
    query = SymbolQuery
    row = FillRow
    order = Order([("at", cursor_time), ("id", cursor_id)])
    time_column = "at"


@described("Each step of each trade, refusals too, newest first")
class Events(Listing):
    query = EventQuery
    row = EventRow
    order = Order([("happened_at", cursor_time), ("id", cursor_id)])
    time_column = "happened_at"


@described("What the account was worth, newest first")
class Equity(Listing):
    query = SpanQuery
    row = EquityRow
    order = Order([("at", cursor_time), ("id", cursor_id)])
    time_column = "at"


class PlanQuery(TradeQuery):
    limit = serializers.IntegerField(default=50, min_value=1, max_value=1000)
    status = serializers.ChoiceField(choices=ORDER_STATUSES, required=False)
    run_id = serializers.UUIDField(required=False)


class TrancheRow(serializers.Serializer[dict[str, str]]):
    part = serializers.CharField(help_text="`2/3`")
    price = serializers.CharField()
    size = serializers.CharField(help_text="contracts")
    risk = serializers.CharField(help_text="lost at the stop, fees and slippage included, in settle currency")


class PlanRow(serializers.ModelSerializer[OrderPlan]):
    order_type = serializers.CharField(read_only=True, help_text="limit or market")
    time_in_force = serializers.CharField(read_only=True)
    tranches = TrancheRow(
        many=True,
        read_only=True,
        help_text="nearest first, where there are several; what became of them: orders",
    )

    class Meta:
        model = OrderPlan
        fields = "__all__"


class RejectBody(Strict):
    reason = Name(max_length=LONGEST_REASON)


@described("Order plans that were claimed, newest first")
class Plans(Listing):
    query = PlanQuery
    row = PlanRow
    order = Order([("plan_time", cursor_time), ("id", cursor_id)])
    time_column = "plan_time"


class Approve(APIView):
    acting = MAY_REVIEW

    @extend_schema(
        summary="Let a waiting plan be planned again on current data and sent, within seconds",
        request=Strict,
        responses={200: PlanRow, 404: ErrorAnswer, 409: ErrorAnswer},
    )
    def post(self, request: Request, plan_id: int) -> Response:
        body_of(request, Strict)
        actor = request.user.get_username()
        with _review_errors(plan_id):
            plan = store.approve(plan_id, actor=actor, now=timezone.now())
        return Response(PlanRow(plan).data)


class Reject(APIView):
    acting = MAY_REVIEW

    @extend_schema(
        summary="End a waiting plan: nothing is sent",
        request=RejectBody,
        responses={200: PlanRow, 404: ErrorAnswer, 409: ErrorAnswer},
    )
    def post(self, request: Request, plan_id: int) -> Response:
        reason = body_of(request, RejectBody)["reason"]
        actor = request.user.get_username()
        with _review_errors(plan_id):
            plan = store.reject(plan_id, actor=actor, reason=reason, now=timezone.now())
        return Response(PlanRow(plan).data)


@contextmanager
def _review_errors(plan_id: int) -> Iterator[None]:
    """Translate what the review refuses into 404 and 409."""
    try:
        yield
    except OrderPlan.DoesNotExist:
        raise NotFound(f"no order plan has the id {plan_id}") from None
    except store.NotWaiting as late:
        raise Conflict(str(late)) from late
