"""The market room, read-only: contracts and candles."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_view
from rest_framework import serializers

from apps.console.api.fields import TIMEFRAMES, Name
from apps.console.api.listing import Listing, listed
from apps.console.api.paging import Order, PageQuery, moment
from apps.market.models import Contract, Kline


class ContractQuery(PageQuery):
    symbol = Name(required=False)
    status = Name(required=False)


class ContractRow(serializers.ModelSerializer[Contract]):
    class Meta:
        model = Contract
        exclude = ("id",)


@extend_schema_view(get=listed(ContractQuery, ContractRow, "Contracts as last listed, by symbol"))
class Contracts(Listing):
    query = ContractQuery
    row = ContractRow
    order = Order([("symbol", str)], newest_first=False)

    def rows(self, wanted: dict[str, Any]) -> QuerySet[Contract]:
        return Contract.objects.filter(**wanted)


class SeriesQuery(PageQuery):
    """One symbol and timeframe: no list of candles crosses series."""

    symbol = Name()
    timeframe = serializers.ChoiceField(choices=TIMEFRAMES)
    since = serializers.DateTimeField(required=False, help_text="opened at or after")
    until = serializers.DateTimeField(required=False, help_text="opened before")


class KlineRow(serializers.ModelSerializer[Kline]):
    class Meta:
        model = Kline
        fields = (
            "symbol",
            "timeframe",
            "open_time",
            "open_price",
            "high_price",
            "low_price",
            "close_price",
            "volume",
            "source",
            "inserted_at",
            "updated_at",
        )


@extend_schema_view(get=listed(SeriesQuery, KlineRow, "Closed candles of one series, newest first"))
class Klines(Listing):
    query = SeriesQuery
    row = KlineRow
    order = Order([("open_time", moment)])

    def rows(self, wanted: dict[str, Any]) -> QuerySet[Kline]:
        names = {"since": "open_time__gte", "until": "open_time__lt"}
        return Kline.objects.filter(**{names.get(key, key): wanted[key] for key in wanted})
