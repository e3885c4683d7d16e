"""The audit room's tables."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from apps.admin_base.cell import (
    SIDE_COLOURS,
    cause_text,
    coloured,
    figures,
    link,
    number,
    plain_fields,
    trace,
)
from apps.admin_base.table import BigTableAdmin, ExactFilter, ReadOnlyAdmin, TimeRangeFilter
from apps.audit.models import MtfAudit, OperatorAction, TradeLifecycleEvent, TradeZoneEvent


@admin.register(MtfAudit)
class MtfAuditAdmin(BigTableAdmin):
    list_display = ("created_at", "of_symbol", "profile", "coloured_cause", "side", "timeframe", "run")
    list_filter = (
        ("cause", ExactFilter),
        ("profile", ExactFilter),
        ("timeframe", ChoicesDropdownFilter),
        ("created_at", TimeRangeFilter),
        ("run_id", ExactFilter),
        ("step", ExactFilter),
        ("severity", ChoicesDropdownFilter),
    )
    ordering = ("-created_at", "-id")
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("created_at", "symbol", "profile", "cause", "side", "timeframe")}),
        ("Why", {"fields": ("refusal", "trace")}),
        ("Where it came from", {"fields": ("run", "step", "severity", "digest")}),
        ("As stored", {"fields": ("details",), "classes": ("collapse",)}),
    )
    readonly_fields = ("side", "refusal", "trace", "run")

    @admin.display(description="symbol")
    def of_symbol(self, row: MtfAudit) -> str:
        return link("audit_mtfaudit_changelist", row.symbol, q=row.symbol)

    @admin.display(description="cause")
    def coloured_cause(self, row: MtfAudit) -> str:
        return cause_text(row.cause)

    @coloured("side", SIDE_COLOURS)
    def side(self, row: MtfAudit) -> str | None:
        side = (row.details.get("verdict") or {}).get("side")
        return side and str(side).upper()

    @admin.display(description="refused by")
    def refusal(self, row: MtfAudit) -> str:
        return figures(row.details.get("refusal") or {})

    @admin.display(description="conditions")
    def trace(self, row: MtfAudit) -> str:
        """Each condition with its values, per timeframe; nothing where the row holds no verdict."""
        return trace(row.details)

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
        ("happened_at", TimeRangeFilter),
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
        ("happened_at", TimeRangeFilter),
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
        ("happened_at", TimeRangeFilter),
    )
    search_fields = ("target", "reason", "actor")
