"""The signals room, read-only: indicator snapshots and signals."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_view
from rest_framework import serializers

from apps.console.api.fields import Name
from apps.console.api.listing import Listing, listed
from apps.console.api.market import SeriesQuery
from apps.console.api.paging import Order, PageQuery, moment, whole
from apps.engine.profile import Phase
from apps.engine.values.timeframe import VALIDATION
from apps.signals.models import IndicatorSnapshot, Signal, SignalSide


class SnapshotRow(serializers.ModelSerializer[IndicatorSnapshot]):
    class Meta:
        model = IndicatorSnapshot
        fields = ("symbol", "timeframe", "kline_time", "values", "inserted_at", "updated_at")


@extend_schema_view(
    get=listed(SeriesQuery, SnapshotRow, "Indicator values of one series, newest candle first")
)
class Indicators(Listing):
    query = SeriesQuery
    row = SnapshotRow
    order = Order([("kline_time", moment)])

    def rows(self, wanted: dict[str, Any]) -> QuerySet[IndicatorSnapshot]:
        names = {"since": "kline_time__gte", "until": "kline_time__lt"}
        return IndicatorSnapshot.objects.filter(**{names.get(key, key): wanted[key] for key in wanted})


class SignalQuery(PageQuery):
    symbol = Name(required=False)
    profile = Name(required=False)
    timeframe = serializers.ChoiceField(choices=[tf.value for tf in VALIDATION], required=False)
    phase = serializers.ChoiceField(choices=[phase.value for phase in Phase], required=False)
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


@extend_schema_view(get=listed(SignalQuery, SignalRow, "Signals, newest written first"))
class Signals(Listing):
    query = SignalQuery
    row = SignalRow
    order = Order([("id", whole)])

    def rows(self, wanted: dict[str, Any]) -> QuerySet[Signal]:
        names = {"since": "kline_time__gte", "until": "kline_time__lt"}
        return Signal.objects.filter(**{names.get(key, key): wanted[key] for key in wanted})
