"""The live desk's own tables: runs, and what the watch process last found out."""

from __future__ import annotations

from collections import Counter

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.text import Truncator
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from apps.admin_base.cell import cause_text, coloured, figures, link
from apps.admin_base.table import ExactFilter, ReadOnlyAdmin, TimeRangeFilter, UncountedAdmin
from apps.live import watch_state
from apps.live.enter.outcome import outcome_counts
from apps.live.models import MtfRun, WatchState

BREAK = mark_safe("<br>")
SHOWN = 2
"""Causes a row of the list names."""
ERROR_SHOWN = 120
"""Characters of an error a row of the list shows."""
STAGES = (
    "collect_ms",
    "windows_ms",
    "extra_ms",
    "evaluate_ms",
    "write_ms",
    "announced_to_decided_ms",
    "close_to_decided_ms",
)
"""As they follow each other; the last two are totals."""
STATUS_COLOURS = {
    "running": "info",
    "decided": "success",
    "failed": "danger",
    "skipped": "warning",
    "lost": "danger",
}


@admin.register(MtfRun)
class MtfRunAdmin(UncountedAdmin):
    list_display = (
        "minute",
        "profile",
        "coloured_status",
        "ready",
        "entries",
        "why_not",
        "decided",
        "audit",
        "plans",
    )
    list_filter = (
        ("profile", ExactFilter),
        ("status", ChoicesDropdownFilter),
        ("trigger", ChoicesDropdownFilter),
        ("run_id", ExactFilter),
        ("minute", TimeRangeFilter),
    )
    ordering = ("-started_at",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "minute",
                    "profile",
                    "coloured_status",
                    "error",
                    "trigger",
                    "dry_run",
                    "audit",
                    "plans",
                )
            },
        ),
        ("Decided", {"fields": ("ready", "entries", "causes")}),
        ("Took", {"fields": ("started_at", "finished_at", "stages")}),
        ("Identity", {"fields": ("run_id", "digest")}),
        ("As stored", {"fields": ("options", "result"), "classes": ("collapse",)}),
    )
    readonly_fields = ("coloured_status", "audit", "plans", "ready", "entries", "causes", "stages")

    @coloured("status", STATUS_COLOURS, ordering="status")
    def coloured_status(self, run: MtfRun) -> str:
        return str(run.status)

    @admin.display(description="ready")
    def ready(self, run: MtfRun) -> str:
        if "symbols" not in run.counts:
            return "–"
        counts = {name: run.counts.get(name, 0) for name in ("ready", "symbols", "long", "short")}
        sides = " ({long} long, {short} short)" if counts["ready"] else ""
        return ("{ready} of {symbols}" + sides).format(**counts)

    @admin.display(description="entries")
    def entries(self, run: MtfRun) -> str:
        lines = ((f"{count} {what}",) for what, count in outcome_counts([run])[run.run_id].most_common())
        return format_html("<div>{}</div>", format_html_join(BREAK, "{}", lines) or "–")

    @admin.display(description="why not")
    def why_not(self, run: MtfRun) -> str:
        """Return what went wrong, or the most frequent causes."""
        if run.error:
            return Truncator(run.error).chars(ERROR_SHOWN)
        shown = (
            format_html("{} × {}", count, cause_text(cause))
            for cause, count in Counter(run.counts.get("by_cause") or {}).most_common(SHOWN)
        )
        return format_html("<div>{}</div>", format_html_join(BREAK, "{}", ((text,) for text in shown)) or "–")

    @admin.display(description="causes")
    def causes(self, run: MtfRun) -> str:
        return figures(dict(Counter(run.counts.get("by_cause") or {}).most_common()))

    @admin.display(description="decided after")
    def decided(self, run: MtfRun) -> str:
        """Return the time from the close of the minute's candles; of a run asked for, from its own start."""
        took_ms = run.timings.get("close_to_decided_ms")
        if not took_ms and run.finished_at is not None:
            took_ms = (run.finished_at - run.started_at).total_seconds() * 1000
        return f"{took_ms:,.0f} ms" if took_ms is not None else "–"

    @admin.display(description="ms per stage")
    def stages(self, run: MtfRun) -> str:
        known = [name for name in STAGES if name in run.timings]
        order = [*known, *(name for name in run.timings if name not in STAGES)]
        return figures(
            {name.removesuffix("_ms").replace("_", " "): f"{run.timings[name]:,.1f}" for name in order}
        )

    @admin.display(description="audit")
    def audit(self, run: MtfRun) -> str:
        return link("audit_mtfaudit_changelist", "audit rows", run_id=run.run_id)

    @admin.display(description="plans")
    def plans(self, run: MtfRun) -> str:
        return link("orders_orderplan_changelist", "plans", run_id=run.run_id)


@admin.register(WatchState)
class WatchStateAdmin(ReadOnlyAdmin):
    list_display = ("account", "entries", "unhealthy", "read_at", "reconciled_at", "heard_at", "drift_ms")
    ordering = ("account",)

    @coloured("entries", {"may go": "success", "are refused": "danger"})
    def entries(self, state: WatchState) -> str:
        health = watch_state.account_health(state.account, timezone.now())
        return "may go" if health.reconciled and not health.unhealthy else "are refused"
