"""The positions' page that crosses rooms: out of everything, after being asked once more."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from unfold.decorators import action
from unfold.enums import ActionVariant

from apps.engine.values.errors import TradingError
from apps.engine.values.position import PositionStatus
from apps.exchange import venue
from apps.live import watch_state
from apps.live.flatten import flatten as flatten_account
from apps.orders.admin import CloseForm, PositionAdmin
from apps.orders.models import ExchangeOrder, Position

EFFECT = (
    "GLOBAL is switched off and stays off until a person turns it on. Then the watch process closes every "
    "position at market and takes every resting entry back, within a second or two. Each position keeps its "
    "stop until it is flat."
)


@action(  # type: ignore[untyped-decorator]  # unfold ships no types
    description="Flatten: out of everything",
    permissions=["close"],
    url_path="flatten",
    icon="logout",
    variant=ActionVariant.DANGER,
)
def flatten(positions: PositionAdmin, request: HttpRequest) -> HttpResponse:
    """Show all that is open and ask why; then flatten the account that is traded."""
    account, now = venue.account(), timezone.now()
    held = list(Position.objects.for_account(account).open().order_by("symbol", "side"))
    form = CloseForm(request.POST or None)
    if not form.is_valid():
        entries = ExchangeOrder.objects.for_account(account).open().count()
        context: dict[str, Any] = positions.admin_site.each_context(request) | {
            "title": f"Flatten {account}",
            "opts": Position._meta,
            "form": form,
            "positions": held,
            "any_foreign": any(position.status == PositionStatus.FOREIGN for position in held),
            "effect": EFFECT,
            "summary": f"Open positions: {len(held)}. Entries that may still fill: {entries}.",
        }
        return render(request, "admin/orders/close.html", context)
    try:
        requests = flatten_account(
            account,
            foreign=form.cleaned_data["foreign"],
            reason=form.cleaned_data["reason"],
            actor=request.user.get_username(),
            now=now,
        )
    except TradingError as fault:
        messages.error(request, f"{fault}.")
        return redirect("admin:orders_position_changelist")
    closing = ", ".join(f"{row.symbol} {row.side}" for row in requests) or "nothing that was not yet"
    messages.success(request, f"GLOBAL is off; being closed: {closing}.")
    if requests and not watch_state.is_watched(account, now):
        messages.warning(request, "No watch process runs: nothing closes until one does.")
    return redirect("admin:orders_closerequest_changelist")
