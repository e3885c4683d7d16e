"""The stream's pulse."""

from __future__ import annotations

from django.contrib import admin

from apps.admin_base.cell import coloured
from apps.admin_base.table import ReadOnlyAdmin
from apps.feed.models import StreamHealth


@admin.register(StreamHealth)
class StreamHealthAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        "state",
        "symbols",
        "last_message_at",
        "last_candle_at",
        "quote_symbols",
        "last_quote_at",
        "reconnects",
        "fetched",
        "updated_at",
    )

    @coloured("connection", {"connected": "success", "disconnected": "danger"})
    def state(self, health: StreamHealth) -> str:
        return "connected" if health.connected else "disconnected"
