"""The standing outcome of every timeframe."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_view
from rest_framework import serializers

from apps.console.api.fields import Name
from apps.console.api.listing import Listing, listed
from apps.console.api.paging import Order, PageQuery
from apps.engine.profile import Phase
from apps.engine.values.timeframe import VALIDATION
from apps.signals.models import MtfState


class StateQuery(PageQuery):
    symbol = Name(required=False)
    profile = Name(required=False)
    timeframe = serializers.ChoiceField(choices=[tf.value for tf in VALIDATION], required=False)
    phase = serializers.ChoiceField(choices=[phase.value for phase in Phase], required=False)


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


@extend_schema_view(
    get=listed(StateQuery, StateRow, "Per profile, symbol and timeframe: side, outcome, reason")
)
class States(Listing):
    query = StateQuery
    row = StateRow
    order = Order([("cache_key", str)], newest_first=False)

    def rows(self, wanted: dict[str, Any]) -> QuerySet[MtfState]:
        return MtfState.objects.filter(**wanted)
