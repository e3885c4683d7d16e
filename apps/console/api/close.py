"""Out of the market on a person's word: one symbol, or everything. The watch process does it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.console.api.error import Conflict, ErrorAnswer
from apps.console.api.order import SIDES
from apps.console.api.request import LONGEST_REASON, Name, Strict, StrictBoolean, body_of
from apps.console.api.switch import MAY_CHANGE
from apps.engine.values.position import Side
from apps.exchange import venue
from apps.live import watch_state
from apps.live.flatten import flatten
from apps.orders import store
from apps.orders.models import CloseRequest


class FlattenBody(Strict):
    reason = Name(max_length=LONGEST_REASON)
    foreign = StrictBoolean(default=False, help_text="true closes also what we did not open")


class CloseBody(FlattenBody):
    side = serializers.ChoiceField(choices=SIDES, required=False, help_text="absent: both")


class CloseRequestRow(serializers.ModelSerializer[CloseRequest]):
    class Meta:
        model = CloseRequest
        fields = "__all__"


class CloseAnswer(serializers.Serializer[Any]):
    requests = CloseRequestRow(many=True, help_text="a row for each side; done_at is null until it is flat")
    watched = serializers.BooleanField(
        help_text="false: no watch process runs, and nothing closes until one does"
    )


class ClosePosition(APIView):
    acting = MAY_CHANGE

    @extend_schema(
        summary="Close a symbol at market and take its resting entries back, within a second or two",
        request=CloseBody,
        responses={202: CloseAnswer, 400: ErrorAnswer, 404: ErrorAnswer, 409: ErrorAnswer},
    )
    def post(self, request: Request, symbol: str) -> Response:
        body, account, now = body_of(request, CloseBody), venue.account(), timezone.now()
        try:
            rows = store.request_close(
                account,
                symbol,
                side=Side(body["side"]) if "side" in body else None,
                foreign=body["foreign"],
                reason=body["reason"],
                actor=request.user.get_username(),
                now=now,
            )
        except store.NothingToClose as fault:
            raise NotFound(str(fault)) from fault
        except (store.NotOurs, store.AlreadyAsked) as fault:
            raise Conflict(str(fault)) from fault
        return _accepted(account, rows, now)


class Flatten(APIView):
    acting = MAY_CHANGE

    @extend_schema(
        summary="Switch GLOBAL off, then close everything that is open; an empty list: nothing was",
        request=FlattenBody,
        responses={202: CloseAnswer, 400: ErrorAnswer},
    )
    def post(self, request: Request) -> Response:
        body, account, now = body_of(request, FlattenBody), venue.account(), timezone.now()
        rows = flatten(account, **body, actor=request.user.get_username(), now=now)
        return _accepted(account, rows, now)


def _accepted(account: str, rows: list[CloseRequest], now: datetime) -> Response:
    answer = {"requests": rows, "watched": watch_state.is_watched(account, now)}
    return Response(CloseAnswer(answer).data, status=status.HTTP_202_ACCEPTED)
