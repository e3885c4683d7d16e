"""The audit room's tables."""

from __future__ import annotations

from django.contrib import admin
from django.template.loader import render_to_string
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter

from apps.audit.models import MtfAudit, OperatorAction
from apps.postgres.browse import BigTableAdmin, ExactFilter, ReadOnlyAdmin, coloured, link


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
