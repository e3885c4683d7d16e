"""The signals room's tables."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from apps.postgres.browse import BigTableAdmin, ReadOnlyAdmin, coloured
from apps.postgres.filters import ExactFilter, TimeRangeFilter
from apps.signals.models import IndicatorSnapshot, MtfState, Signal

SIDE_COLOURS = {"LONG": "success", "SHORT": "danger"}


@admin.register(IndicatorSnapshot)
class IndicatorSnapshotAdmin(BigTableAdmin):
    list_display = ("symbol", "timeframe", "kline_time", "close", "rsi", "adx", "updated_at")
    list_filter = (("timeframe", ChoicesDropdownFilter), ("kline_time", TimeRangeFilter))
    ordering = ("-id",)

    @admin.display(description="close")
    def close(self, snapshot: IndicatorSnapshot) -> object:
        return snapshot.values.get("close")

    @admin.display(description="RSI")
    def rsi(self, snapshot: IndicatorSnapshot) -> object:
        return snapshot.values.get("rsi")

    @admin.display(description="ADX")
    def adx(self, snapshot: IndicatorSnapshot) -> object:
        return snapshot.values.get("adx")


@admin.register(Signal)
class SignalAdmin(BigTableAdmin):
    list_display = ("symbol", "profile", "timeframe", "phase", "kline_time", "coloured_side", "score")
    list_filter = (
        ("profile", ExactFilter),
        ("timeframe", ChoicesDropdownFilter),
        ("phase", ChoicesDropdownFilter),
        ("side", ChoicesDropdownFilter),
        ("run_id", ExactFilter),
        ("kline_time", TimeRangeFilter),
    )
    ordering = ("-id",)

    @coloured("side", SIDE_COLOURS)
    def coloured_side(self, signal: Signal) -> str:
        return str(signal.side)


@admin.register(MtfState)
class MtfStateAdmin(ReadOnlyAdmin):
    list_display = (
        "symbol",
        "profile",
        "timeframe",
        "phase",
        "kline_time",
        "coloured_side",
        "outcome",
        "reason",
        "updated_at",
    )
    list_filter = (("profile", ExactFilter), ("timeframe", ExactFilter), ("reason", ExactFilter))
    search_fields = ("symbol",)
    ordering = ("symbol", "profile", "timeframe", "phase")
    show_full_result_count = False

    @coloured("side", SIDE_COLOURS)
    def coloured_side(self, state: MtfState) -> str:
        return str(state.side)
