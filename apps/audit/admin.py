"""The audit room's tables."""

from __future__ import annotations

from django.contrib import admin
from django.template.loader import render_to_string
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter

from apps.audit.models import MtfAudit, OperatorAction, TradeLifecycleEvent, TradeZoneEvent
from apps.postgres.browse import (
    BigTableAdmin,
    ExactFilter,
    ReadOnlyAdmin,
    coloured,
    link,
    number,
    plain_fields,
)


@admin.register(MtfAudit)
class MtfAuditAdmin(BigTableAdmin):
    list_display = (
        "created_at",
        "symbol",
        "profile",
        "step",
        "timeframe",
        "cause",
        "coloured_severity",
        "run",
    )
    list_filter = (
        ("run_id", ExactFilter),
        ("profile", ExactFilter),
        ("step", ExactFilter),
        ("timeframe", ChoicesDropdownFilter),
        ("cause", ExactFilter),
        ("severity", ChoicesDropdownFilter),
        ("created_at", RangeDateTimeFilter),
    )
    ordering = ("-created_at", "-id")
    fields = (
        "created_at",
        "symbol",
        "profile",
        "step",
        "timeframe",
        "cause",
        "severity",
        "run",
        "digest",
        "trace",
        "details",
    )
    readonly_fields = ("run", "trace")

    @coloured("severity", {"info": "info", "warning": "warning", "error": "danger"})
    def coloured_severity(self, row: MtfAudit) -> str:
        return str(row.severity)

    @admin.display(description="trace")
    def trace(self, row: MtfAudit) -> str:
        """Each condition with its values, per timeframe; nothing where the row holds no verdict."""
        verdict = row.details.get("verdict") or {}
        timeframes = verdict.get("timeframes", [])
        return render_to_string("admin/audit/trace.html", {"timeframes": timeframes})

    @admin.display(description="run")
    def run(self, row: MtfAudit) -> str:
        return link("mtf_mtfrun_changelist", str(row.run_id)[:8], run_id=row.run_id)


@admin.register(TradeLifecycleEvent)
class TradeLifecycleEventAdmin(BigTableAdmin):
    list_display = (
        "happened_at",
        "symbol",
        "profile",
        "event_type",
        "reason_code",
        "side",
        number("quantity"),
        number("price"),
        "plan",
        "run",
    )
    list_filter = (
        ("event_type", ExactFilter),
        ("reason_code", ExactFilter),
        ("profile", ExactFilter),
        ("account", ExactFilter),
        ("run_id", ExactFilter),
        ("decision_key", ExactFilter),
        ("happened_at", RangeDateTimeFilter),
    )
    ordering = ("-happened_at", "-id")
    fields = readonly_fields = ["plan", "run", *plain_fields(TradeLifecycleEvent)]

    @admin.display(description="plan")
    def plan(self, row: TradeLifecycleEvent) -> str:
        if not row.decision_key:
            return "–"
        return link("orders_orderplan_changelist", "plan", decision_key=row.decision_key)

    @admin.display(description="run")
    def run(self, row: TradeLifecycleEvent) -> str:
        if row.run_id is None:
            return "–"
        return link("mtf_mtfrun_changelist", str(row.run_id)[:8], run_id=row.run_id)


@admin.register(TradeZoneEvent)
class TradeZoneEventAdmin(BigTableAdmin):
    list_display = (
        "happened_at",
        "symbol",
        "profile",
        "side",
        "reason_code",
        "coloured_category",
        number("deviation_pct", "deviation %"),
        number("limit_pct", "limit %"),
        number("candidate"),
        number("zone_low", "low"),
        number("zone_high", "high"),
    )
    list_filter = (
        ("category", ChoicesDropdownFilter),
        ("reason_code", ExactFilter),
        ("profile", ExactFilter),
        ("account", ExactFilter),
        ("run_id", ExactFilter),
        ("happened_at", RangeDateTimeFilter),
    )
    ordering = ("-happened_at", "-id")
    fields = readonly_fields = plain_fields(TradeZoneEvent)

    @coloured("category", {"close_to_threshold": "info", "moderate_gap": "warning", "far_outside": "danger"})
    def coloured_category(self, row: TradeZoneEvent) -> str:
        return str(row.category)


@admin.register(OperatorAction)
class OperatorActionAdmin(ReadOnlyAdmin):
    list_display = ("happened_at", "actor", "action", "target", "reason")
    list_filter = (
        ("actor", ExactFilter),
        ("action", admin.AllValuesFieldListFilter),
        ("target", ExactFilter),
        ("happened_at", RangeDateTimeFilter),
    )
    search_fields = ("target", "reason", "actor")
