"""Market rows, read-only: contracts, candles and their indicators."""

from __future__ import annotations

from rest_framework import serializers

from apps.console.api.page import Listing, Order, PageQuery, cursor_time, described
from apps.console.api.request import TIMEFRAMES, Name
from apps.market.models import Contract, Kline
from apps.signals.models import IndicatorSnapshot


class ContractQuery(PageQuery):
    symbol = Name(required=False)
    status = Name(required=False)


class ContractRow(serializers.ModelSerializer[Contract]):
    class Meta:
        model = Contract
        exclude = ("id",)


@described("Contracts as last listed, by symbol")
class Contracts(Listing):
    query = ContractQuery
    row = ContractRow
    order = Order([("symbol", str)], newest_first=False)


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


@described("Closed candles of one series, newest first")
class Klines(Listing):
    query = SeriesQuery
    row = KlineRow
    order = Order([("open_time", cursor_time)])
    time_column = "open_time"


class SnapshotRow(serializers.ModelSerializer[IndicatorSnapshot]):
    class Meta:
        model = IndicatorSnapshot
        fields = ("symbol", "timeframe", "kline_time", "values", "inserted_at", "updated_at")


@described("Indicator values of one series, newest candle first")
class Indicators(Listing):
    query = SeriesQuery
    row = SnapshotRow
    order = Order([("kline_time", cursor_time)])
    time_column = "kline_time"
