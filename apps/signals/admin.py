"""The signals room's tables."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from apps.admin_base.cell import SIDE_COLOURS, cause_text, coloured, figures, link
from apps.admin_base.table import BigTableAdmin, ExactFilter, ReadOnlyAdmin, TimeRangeFilter
from apps.signals.models import IndicatorSnapshot, MtfState, Signal


@admin.register(IndicatorSnapshot)
class IndicatorSnapshotAdmin(BigTableAdmin):
    list_display = ("symbol", "timeframe", "kline_time", "close", "rsi", "adx", "updated_at")
    list_filter = (("timeframe", ChoicesDropdownFilter), ("kline_time", TimeRangeFilter))
    ordering = ("-id",)
    fields = ("symbol", "timeframe", "kline_time", "measured", "inserted_at", "updated_at")
    readonly_fields = ("measured",)

    @admin.display(description="values")
    def measured(self, snapshot: IndicatorSnapshot) -> str:
        return figures(snapshot.values)

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
    list_display = ("symbol", "profile", "timeframe", "phase", "kline_time", "coloured_side", "score", "run")
    list_filter = (
        ("profile", ExactFilter),
        ("timeframe", ChoicesDropdownFilter),
        ("phase", ChoicesDropdownFilter),
        ("side", ChoicesDropdownFilter),
        ("run_id", ExactFilter),
        ("kline_time", TimeRangeFilter),
    )
    ordering = ("-id",)

    fields = (
        "symbol",
        "profile",
        "timeframe",
        "phase",
        "kline_time",
        "coloured_side",
        "score",
        "run",
        "digest",
        "meta",
        "inserted_at",
        "updated_at",
    )
    readonly_fields = ("coloured_side", "run")

    @coloured("side", SIDE_COLOURS)
    def coloured_side(self, signal: Signal) -> str:
        return str(signal.side)

    @admin.display(description="run")
    def run(self, signal: Signal) -> str:
        return link("mtf_mtfrun_changelist", str(signal.run_id)[:8], run_id=signal.run_id)


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
        "coloured_reason",
    )
    list_filter = (("profile", ExactFilter), ("timeframe", ExactFilter), ("reason", ExactFilter))
    search_fields = ("symbol",)
    ordering = ("symbol", "profile", "phase", "timeframe")
    sortable_by = ()

    @coloured("side", SIDE_COLOURS)
    def coloured_side(self, state: MtfState) -> str:
        return str(state.side)

    @admin.display(description="reason")
    def coloured_reason(self, state: MtfState) -> str:
        return cause_text(state.reason)
