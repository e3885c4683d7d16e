"""Closing from the list of positions, after being asked once more, and what was asked for so far."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from apps.admin_base.cell import coloured, plain_fields
from apps.admin_base.table import BigTableAdmin, ExactFilter, TimeRangeFilter
from apps.engine.values.errors import TradingError
from apps.engine.values.position import PositionStatus, Side
from apps.orders.admin.plan import SIDES
from apps.orders.close_request import request_close
from apps.orders.models import CloseRequest, Position

EFFECT = (
    "The watch process closes them at market within a second or two, kill switches or not, and takes back "
    "the entries that rest on their side. Each keeps its stop until it is flat."
)


class CloseForm(forms.Form):
    """What an operator must say to close positions."""

    reason = forms.CharField(
        label="Why?",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autofocus": True}),
        help_text="Kept with your name on each close request and in the operator actions.",
    )
    foreign = forms.BooleanField(
        label="Close also what we did not open",
        required=False,
        widget=UnfoldBooleanWidget(),
        help_text="A FOREIGN position was opened by hand or by another program.",
    )


def close_chosen(page: ModelAdmin, request: HttpRequest, chosen: QuerySet[Position]) -> HttpResponse | None:
    """Show what would be closed and ask why; then ask the watch process for each, and say how it went."""
    positions = list(chosen.filter(closed_at=None).order_by("symbol", "side"))
    if not positions:
        page.message_user(request, "What you chose is closed already.", messages.ERROR)
        return None
    form = CloseForm(request.POST if "reason" in request.POST else None)
    if not form.is_valid():
        number = f"{len(positions)} position{'s' if len(positions) > 1 else ''}"
        context: dict[str, Any] = page.admin_site.each_context(request) | {
            "title": f"Close {number} at market",
            "opts": page.model._meta,
            "form": form,
            "positions": positions,
            "any_foreign": any(position.status == PositionStatus.FOREIGN for position in positions),
            "action": request.POST["action"],
            "effect": EFFECT,
        }
        return render(request, "admin/orders/close.html", context)
    for position in positions:
        try:
            request_close(
                position.account,
                position.symbol,
                side=Side(position.side),
                foreign=form.cleaned_data["foreign"],
                reason=form.cleaned_data["reason"],
                actor=request.user.get_username(),
                now=timezone.now(),
            )
        except TradingError as fault:
            page.message_user(request, f"{fault}.", messages.ERROR)
        else:
            text = f"{position.symbol} {position.side} is being closed: see Close requests."
            page.message_user(request, text, messages.SUCCESS)
    return None


@admin.register(CloseRequest)
class CloseRequestAdmin(BigTableAdmin):
    list_display = (
        "asked_at",
        "symbol",
        "coloured_side",
        "state",
        "took",
        "asked_by",
        "reason",
        "meant",
        "account",
    )
    list_filter = (
        ("side", ChoicesDropdownFilter),
        ("asked_by", ExactFilter),
        ("account", ExactFilter),
        ("asked_at", TimeRangeFilter),
    )
    ordering = ("-asked_at", "-id")
    fields = readonly_fields = plain_fields(CloseRequest)

    @coloured("side", SIDES)
    def coloured_side(self, row: CloseRequest) -> str:
        return str(row.side)

    @coloured("now", {"going on": "warning", "flat": "success", "ended": "danger"})
    def state(self, row: CloseRequest) -> tuple[str, str]:
        if row.done_at is None:
            return "going on", "going on"
        return ("flat" if row.outcome == "flat" else "ended"), row.outcome

    @admin.display(description="meant", ordering="foreign")
    def meant(self, row: CloseRequest) -> str:
        return "anybody's" if row.foreign else "ours"

    @admin.display(description="took")
    def took(self, row: CloseRequest) -> str:
        return "–" if row.done_at is None else f"{(row.done_at - row.asked_at).total_seconds():.1f} s"
