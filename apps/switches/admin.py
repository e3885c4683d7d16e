"""The kill switches: turned in the list, each change with its reason and author."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from unfold.admin import ModelAdmin

from apps.admin_base.cell import coloured, link
from apps.admin_base.table import ReadOnlyAdmin
from apps.switches.forms import ReasonForm, SwitchForm
from apps.switches.models import Cooldown, MtfSwitch, SymbolQueue
from apps.switches.store import set_switch


@admin.register(MtfSwitch)
class MtfSwitchAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    form = SwitchForm
    list_display = ("switch_key", "state", "is_on", "reason", "changed_by", "changed", "history")
    list_editable = ("is_on", "reason")
    list_fullwidth = True
    list_before_template = "admin/switches/before_list.html"
    search_fields = ("switch_key", "reason")
    fields = ("switch_key", "is_on", "reason", "expires_at")
    actions = ("turn_off_1h", "turn_off_4h", "turn_off", "turn_on")

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[SwitchForm]:
        return SwitchForm

    def get_readonly_fields(self, request: HttpRequest, obj: MtfSwitch | None = None) -> tuple[str, ...]:
        return ("switch_key",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: MtfSwitch | None = None) -> bool:
        return False  # a deleted OFF would be a silent ON: turn it on instead, with a reason

    def save_model(self, request: HttpRequest, obj: MtfSwitch, form: Any, change: bool) -> None:
        # an OFF renewed in the list does not inherit an old end
        is_ahead = not obj.is_on and obj.expires_at is not None and obj.expires_at > timezone.now()
        stored = set_switch(
            obj.switch_key,
            is_on=obj.is_on,
            reason=obj.reason,
            actor=request.user.get_username(),
            expires_at=obj.expires_at if is_ahead else None,
        )
        obj.pk, obj.changed_by, obj.expires_at = stored.pk, stored.changed_by, stored.expires_at

    @coloured("now", {"stopped": "danger", "running": "success"})
    def state(self, switch: MtfSwitch) -> tuple[str, str]:
        if not switch.is_in_force:
            return "running", "running"
        until = f" until {switch.expires_at:%d %b %H:%M} UTC" if switch.expires_at else ""
        return "stopped", f"stopped{until}"

    @admin.display(ordering="updated_at", description="changed")
    def changed(self, switch: MtfSwitch) -> datetime:
        return switch.updated_at

    @admin.display(description="history")
    def history(self, switch: MtfSwitch) -> str:
        return link("audit_operatoraction_changelist", "history", target=switch.switch_key)

    @admin.action(description="Turn off for 1 hour", permissions=["change"])
    def turn_off_1h(self, request: HttpRequest, chosen: QuerySet[MtfSwitch]) -> HttpResponse | None:
        return self._turn(request, chosen, is_on=False, lasting=timedelta(hours=1))

    @admin.action(description="Turn off for 4 hours", permissions=["change"])
    def turn_off_4h(self, request: HttpRequest, chosen: QuerySet[MtfSwitch]) -> HttpResponse | None:
        return self._turn(request, chosen, is_on=False, lasting=timedelta(hours=4))

    @admin.action(description="Turn off until changed", permissions=["change"])
    def turn_off(self, request: HttpRequest, chosen: QuerySet[MtfSwitch]) -> HttpResponse | None:
        return self._turn(request, chosen, is_on=False, lasting=None)

    @admin.action(description="Turn on", permissions=["change"])
    def turn_on(self, request: HttpRequest, chosen: QuerySet[MtfSwitch]) -> HttpResponse | None:
        return self._turn(request, chosen, is_on=True, lasting=None)

    def _turn(
        self, request: HttpRequest, chosen: QuerySet[MtfSwitch], *, is_on: bool, lasting: timedelta | None
    ) -> HttpResponse | None:
        """Ask for the reason first; then change all of `chosen` or none, and say how many."""
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return self._ask(request, chosen, form, is_on=is_on, lasting=lasting)
        expires_at = timezone.now() + lasting if lasting else None
        with transaction.atomic():
            for switch in chosen.order_by("switch_key"):
                set_switch(
                    switch.switch_key,
                    is_on=is_on,
                    reason=form.cleaned_data["reason"],
                    actor=request.user.get_username(),
                    expires_at=expires_at,
                )
        switches = f"{len(chosen)} switch{'es' if len(chosen) != 1 else ''}"
        until = f" until {expires_at:%d %b %H:%M} UTC" if expires_at else ""
        text = f"{switches} turned {'on' if is_on else f'off{until}'}."
        self.message_user(request, text, messages.SUCCESS)
        return None

    def _ask(
        self,
        request: HttpRequest,
        chosen: QuerySet[MtfSwitch],
        form: ReasonForm,
        *,
        is_on: bool,
        lasting: timedelta | None,
    ) -> HttpResponse:
        hours = f" for {lasting.total_seconds() / 3600:g} h" if lasting else ""
        title = (
            f"Turn {'on' if is_on else 'off'}{hours}: {len(chosen)} switch{'es' if len(chosen) > 1 else ''}"
        )
        context = self.admin_site.each_context(request) | {
            "title": title,
            "opts": self.model._meta,
            "form": form,
            "chosen": chosen,
            "action": request.POST["action"],
        }
        return render(request, "admin/switches/reason.html", context)


@admin.register(Cooldown)
class CooldownAdmin(ReadOnlyAdmin):
    list_display = ("symbol", "state", "ends_at", "reason", "starts_at", "plan", "account")
    search_fields = ("symbol",)

    @coloured("now", {"cooling down": "warning", "over": "success"})
    def state(self, cooldown: Cooldown) -> str:
        return "cooling down" if cooldown.ends_at > timezone.now() else "over"

    @admin.display(description="plan")
    def plan(self, cooldown: Cooldown) -> str:
        return link("orders_orderplan_changelist", "plan", decision_key=cooldown.decision_key)


@admin.register(SymbolQueue)
class SymbolQueueAdmin(ReadOnlyAdmin):
    list_display = (
        "asked_at",
        "symbol",
        "profile",
        "state",
        "reason",
        "asked_by",
        "taken_at",
        "run",
        "account",
    )
    search_fields = ("symbol",)

    @coloured("state", {"waiting": "info", "judged": "success", "ended unjudged": "warning"})
    def state(self, mark: SymbolQueue) -> str:
        if mark.taken_at is None:
            return "waiting"
        return "ended unjudged" if mark.run_id is None else "judged"

    @admin.display(description="run")
    def run(self, mark: SymbolQueue) -> str:
        return "–" if mark.run_id is None else link("mtf_mtfrun_changelist", "run", run_id=mark.run_id)
