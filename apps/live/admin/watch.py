"""What the watch process last found out."""

from __future__ import annotations

from django.contrib import admin
from django.utils import timezone

from apps.admin_base.cell import coloured
from apps.admin_base.table import ReadOnlyAdmin
from apps.live import account_health
from apps.live.models import WatchState


@admin.register(WatchState)
class WatchStateAdmin(ReadOnlyAdmin):
    list_display = ("account", "entries", "unhealthy", "read_at", "reconciled_at", "heard_at", "drift_ms")
    ordering = ("account",)

    @coloured("entries", {"may go": "success", "are refused": "danger"})
    def entries(self, state: WatchState) -> str:
        found = account_health.of_account(state.account, timezone.now())
        return "may go" if found.reconciled and not found.unhealthy else "are refused"
