"""The contracts' action that crosses rooms: have a symbol judged once, by a profile that people choose."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget

from apps.exchange import venue
from apps.market.admin import ContractAdmin, ReasonForm
from apps.market.models import Contract
from apps.profiles.store import configured_profiles
from apps.switches import queue


class JudgeOnceForm(ReasonForm):
    """By which profile, and why."""

    profile = forms.ChoiceField(
        label="By",
        choices=lambda: [(profile.name, profile.name) for profile in configured_profiles()],
        widget=UnfoldAdminSelectWidget(),
        help_text="Its universe is passed over; kill switches hold. READY is entered like any other.",
    )


@admin.action(description="Judge once, from the next minute on", permissions=["queue"])
def judge_once(
    contracts: ContractAdmin, request: HttpRequest, chosen: QuerySet[Contract]
) -> HttpResponse | None:
    """Ask by which profile and why; then mark each symbol that does not wait already, and say how many."""
    form = JudgeOnceForm(request.POST if "reason" in request.POST else None)
    if not form.is_valid():
        return contracts.ask(request, chosen, form, "Judge once")
    profile, reason = form.cleaned_data["profile"], form.cleaned_data["reason"]
    asked_by, now = request.user.get_username(), timezone.now()
    marked = 0
    for contract in chosen:
        try:
            queue.add_mark(
                venue.account(), contract.symbol, profile, asked_by=asked_by, reason=reason, now=now
            )
            marked += 1
        except queue.BadMark as fault:
            contracts.message_user(request, str(fault), messages.WARNING)
    contracts.message_user(request, f"{marked} marked for {profile}.", messages.SUCCESS)
    return None
