"""What was decided of each symbol, read-only: outcomes, signals, the audit, and why at a moment."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.audit.models import MtfAudit
from apps.console.api.error import ErrorAnswer
from apps.console.api.page import Listing, Order, PageQuery, cursor_id, cursor_time, described
from apps.console.api.request import TIMEFRAMES, Name, Strict, field_error, query_of, validated
from apps.engine.profile import Phase
from apps.engine.values.contract import UnknownSymbol
from apps.engine.values.timeframe import VALIDATION
from apps.insight.explanation import CannotExplain, explain
from apps.signals.models import MtfState, Signal, SignalSide

JUDGED = [timeframe.value for timeframe in VALIDATION]
PHASES = [phase.value for phase in Phase]
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Before any candle of any venue: a moment further back is a mistake."""


class StateQuery(PageQuery):
    symbol = Name(required=False)
    profile = Name(required=False)
    timeframe = serializers.ChoiceField(choices=JUDGED, required=False)
    phase = serializers.ChoiceField(choices=PHASES, required=False)


class StateRow(serializers.ModelSerializer[MtfState]):
    class Meta:
        model = MtfState
        fields = (
            "profile",
            "digest",
            "symbol",
            "timeframe",
            "phase",
            "kline_time",
            "side",
            "outcome",
            "reason",
            "expires_at",
            "updated_at",
        )


@described("Per profile, symbol and timeframe: side, outcome, reason")
class States(Listing):
    query = StateQuery
    row = StateRow
    order = Order([("cache_key", str)], newest_first=False)


class SignalQuery(PageQuery):
    symbol = Name(required=False)
    profile = Name(required=False)
    timeframe = serializers.ChoiceField(choices=JUDGED, required=False)
    phase = serializers.ChoiceField(choices=PHASES, required=False)
    side = serializers.ChoiceField(choices=[side.value for side in SignalSide], required=False)
    since = serializers.DateTimeField(required=False, help_text="candle opened at or after")
    until = serializers.DateTimeField(required=False, help_text="candle opened before")


class SignalRow(serializers.ModelSerializer[Signal]):
    class Meta:
        model = Signal
        fields = (
            "id",
            "profile",
            "symbol",
            "timeframe",
            "phase",
            "kline_time",
            "side",
            "score",
            "digest",
            "run_id",
            "meta",
            "inserted_at",
            "updated_at",
        )


@described("Signals, newest written first")
class Signals(Listing):
    query = SignalQuery
    row = SignalRow
    order = Order([("id", cursor_id)])
    time_column = "kline_time"


class AuditQuery(PageQuery):
    symbol = Name(required=False)
    profile = Name(required=False)
    run_id = serializers.UUIDField(required=False)
    step = Name(required=False)
    timeframe = serializers.ChoiceField(choices=TIMEFRAMES, required=False)
    cause = Name(required=False)
    since = serializers.DateTimeField(required=False, help_text="written at or after")
    until = serializers.DateTimeField(required=False, help_text="written before")


class AuditRow(serializers.ModelSerializer[MtfAudit]):
    class Meta:
        model = MtfAudit
        fields = (
            "id",
            "symbol",
            "run_id",
            "step",
            "timeframe",
            "cause",
            "details",
            "severity",
            "profile",
            "digest",
            "created_at",
        )


@described("READY and changed verdicts, newest first")
class Audit(Listing):
    query = AuditQuery
    row = AuditRow
    order = Order([("created_at", cursor_time), ("id", cursor_id)])
    time_column = "created_at"


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
        path = validated(ExplainPath(data={"symbol": symbol}))
        query = query_of(request, ExplainQuery)
        at = query.get("at") or timezone.now()
        try:
            explanation = explain(path["symbol"], at, query["profile"])
        except UnknownSymbol as fault:
            raise field_error("symbol", str(fault)) from fault
        except CannotExplain as fault:
            raise field_error(fault.field, str(fault)) from fault
        return Response(explanation.to_json())
