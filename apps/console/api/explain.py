"""Why: the verdict at a moment with every leaf, recomputed from stored candles."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.console.api.errors import ErrorAnswer, refused
from apps.console.api.fields import Name, Strict, asked, checked
from apps.engine.values.contract import UnknownSymbol
from apps.insight.explanation import CannotExplain, explain

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Before any candle of any venue: a moment further back is a mistake."""


class ExplainQuery(Strict):
    at = serializers.DateTimeField(required=False, help_text="the boundary judged, UTC; absent: now")
    profile = Name(default="scalper_micro")

    def validate_at(self, at: datetime) -> datetime:
        if at < EARLIEST:
            raise serializers.ValidationError(f"there is no candle before {EARLIEST:%Y}")
        return at


class ExplainPath(Strict):
    symbol = Name()


class Explain(APIView):
    @extend_schema(
        summary="The verdict of a symbol at a moment, with every condition and its values",
        parameters=[ExplainQuery],
        responses={200: OpenApiTypes.OBJECT, 400: ErrorAnswer},
    )
    def get(self, request: Request, symbol: str) -> Response:
        named = checked(ExplainPath(data={"symbol": symbol}))
        wanted = asked(request, ExplainQuery)
        try:
            found = explain(named["symbol"], wanted.get("at") or timezone.now(), wanted["profile"])
        except UnknownSymbol as fault:
            raise refused("symbol", str(fault)) from fault
        except CannotExplain as fault:
            raise refused(fault.field, str(fault)) from fault
        return Response(found.to_json())
