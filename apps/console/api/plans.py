"""Order plans, and a person's answer to those that wait for one."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.console.api.errors import ErrorAnswer
from apps.console.api.fields import Name, Strict, told
from apps.console.api.listing import Listing, listed
from apps.console.api.paging import Order, moment, whole
from apps.console.api.trading import ORDER_STATUSES, TradeQuery
from apps.orders import store
from apps.orders.models import OrderPlan

MAY_REVIEW = "orders.review_orderplan"
LONGEST_REASON = 500


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class PlanQuery(TradeQuery):
    limit = serializers.IntegerField(default=50, min_value=1, max_value=1000)
    status = serializers.ChoiceField(choices=ORDER_STATUSES, required=False)
    run_id = serializers.UUIDField(required=False)


class PlanRow(serializers.ModelSerializer[OrderPlan]):
    class Meta:
        model = OrderPlan
        fields = "__all__"


class RejectBody(Strict):
    reason = Name(max_length=LONGEST_REASON)


@extend_schema_view(get=listed(PlanQuery, PlanRow, "Order plans that were claimed, newest first"))
class Plans(Listing):
    query = PlanQuery
    row = PlanRow
    order = Order([("plan_time", moment), ("id", whole)])

    def rows(self, wanted: dict[str, Any]) -> QuerySet[OrderPlan]:
        names = {"since": "plan_time__gte", "until": "plan_time__lt"}
        return OrderPlan.objects.filter(**{names.get(key, key): wanted[key] for key in wanted})


class Approve(APIView):
    acting = MAY_REVIEW

    @extend_schema(
        summary="Let a waiting plan be planned again on current data and sent, within seconds",
        request=Strict,
        responses={200: PlanRow, 404: ErrorAnswer, 409: ErrorAnswer},
    )
    def post(self, request: Request, plan_id: int) -> Response:
        told(request, Strict)
        return _answered(plan_id, lambda: store.approve(plan_id, actor=_actor(request), now=timezone.now()))


class Reject(APIView):
    acting = MAY_REVIEW

    @extend_schema(
        summary="End a waiting plan: nothing is sent",
        request=RejectBody,
        responses={200: PlanRow, 404: ErrorAnswer, 409: ErrorAnswer},
    )
    def post(self, request: Request, plan_id: int) -> Response:
        reason = told(request, RejectBody)["reason"]
        return _answered(
            plan_id,
            lambda: store.reject(plan_id, actor=_actor(request), reason=reason, now=timezone.now()),
        )


def _answered(plan_id: int, answer: Any) -> Response:
    try:
        plan = answer()
    except OrderPlan.DoesNotExist:
        raise NotFound(f"no order plan has the id {plan_id}") from None
    except store.NotWaiting as late:
        raise Conflict(str(late)) from late
    return Response(PlanRow(plan).data)


def _actor(request: Request) -> str:
    return request.user.get_username()
