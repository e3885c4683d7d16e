"""Runs: what each minute decided, how long each stage took, and the audit rows it wrote."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter

from apps.mtf.models import MtfRun
from apps.mtf.outcomes import counted, in_words
from apps.postgres.browse import ExactFilter, ReadOnlyAdmin, coloured, link
from apps.postgres.estimate import EstimatedPaginator

STATUS_COLOURS = {
    "running": "info",
    "decided": "success",
    "failed": "danger",
    "skipped": "warning",
    "lost": "danger",
}


@admin.register(MtfRun)
class MtfRunAdmin(ReadOnlyAdmin):
    list_display = (
        "minute",
        "profile",
        "coloured_status",
        "trigger",
        "summary",
        "took",
        "dry_run",
        "entries",
        "audit",
        "plans",
    )
    list_filter = (
        ("profile", ExactFilter),
        ("status", ChoicesDropdownFilter),
        ("trigger", ChoicesDropdownFilter),
        ("run_id", ExactFilter),
        ("minute", RangeDateTimeFilter),
    )
    paginator = EstimatedPaginator
    show_full_result_count = False
    list_max_show_all = 0
    ordering = ("-started_at",)
    fields = (
        "run_id",
        "profile",
        "digest",
        "minute",
        "trigger",
        "status",
        "error",
        "entries",
        "audit",
        "plans",
        "started_at",
        "finished_at",
        "dry_run",
        "counts",
        "timings",
        "options",
        "result",
    )
    readonly_fields = ("entries", "audit", "plans")

    @coloured("status", STATUS_COLOURS, ordering="status")
    def coloured_status(self, run: MtfRun) -> str:
        return str(run.status)

    @admin.display(description="counts")
    def summary(self, run: MtfRun) -> str:
        if "symbols" not in run.counts:
            return "–"
        counts = {name: run.counts.get(name, 0) for name in ("ready", "symbols", "long", "short")}
        return "{ready} ready of {symbols} ({long} long, {short} short)".format(**counts)

    @admin.display(description="entries")
    def entries(self, run: MtfRun) -> str:
        return in_words(counted([run])[run.run_id]) or "–"

    @admin.display(description="took")
    def took(self, run: MtfRun) -> str:
        if run.finished_at is None:
            return "–"
        return f"{(run.finished_at - run.started_at).total_seconds() * 1000:,.0f} ms"

    @admin.display(description="audit")
    def audit(self, run: MtfRun) -> str:
        return link("audit_mtfaudit_changelist", "audit rows", run_id=run.run_id)

    @admin.display(description="plans")
    def plans(self, run: MtfRun) -> str:
        return link("orders_orderplan_changelist", "plans", run_id=run.run_id)
