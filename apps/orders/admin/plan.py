"""Plans, their review, and the locks they hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.admin_base.cell import coloured, joined, link, number, trace
from apps.admin_base.table import BigTableAdmin, ExactFilter, TimeRangeFilter
from apps.engine.values.candle import Candle
from apps.engine.values.timeframe import Timeframe
from apps.orders import review
from apps.orders.chart import plan_chart, span
from apps.orders.models import OrderPlan, SymbolLock

SIDES = {"long": "success", "short": "danger"}
ORDERS = {
    "PLANNED": "info",
    "PENDING_REVIEW": "warning",
    "APPROVED": "info",
    "SUBMITTING": "info",
    "UNKNOWN": "danger",
    "NEVER_ARRIVED": "warning",
    "SUBMITTED": "info",
    "PARTIALLY_FILLED": "info",
    "FILLED": "success",
    "CANCELLED": "warning",
    "EXPIRED": "warning",
    "REJECTED": "danger",
    "DENIED": "warning",
}
"""Of statuses: green is done, amber waits for somebody, red is wrong."""


class RejectForm(forms.Form):
    """What a reviewer must say to reject a plan."""

    reason = forms.CharField(
        label="Why?",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autofocus": True}),
        help_text="Kept with your name on the plan and in the operator actions.",
    )


@admin.register(OrderPlan)
class OrderPlanAdmin(BigTableAdmin):
    """Read only: a plan that waits for a review is answered by its two buttons, and by nothing else."""

    candles: Callable[[str, Timeframe, datetime, datetime], list[Candle]] | None = None
    """The candles of [start, end) for the chart. Another room stores them: apps/console/apps.py sets this."""

    list_display = (
        "plan_time",
        "symbol",
        "profile",
        "coloured_side",
        "coloured_status",
        "reason",
        number("entry_price", "entry"),
        number("stop_price", "stop"),
        number("target_price", "target"),
        number("size"),
        "leverage",
        number("risk_usdt", "risk USDT"),
        "links",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("profile", ExactFilter),
        ("account", ExactFilter),
        ("run_id", ExactFilter),
        ("decision_key", ExactFilter),
        ("plan_time", TimeRangeFilter),
    )
    ordering = ("-plan_time", "-id")
    actions_detail = ("approve", "reject")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "coloured_status",
                    "summary",
                    "chart",
                    "reason",
                    "reviewed_by",
                    "reviewed_at",
                    "links",
                )
            },
        ),
        ("Why", {"fields": ("trace",)}),
        ("Identity", {"fields": ("decision_key", "client_order_id", "account", "digest")}),
        ("As stored", {"fields": ("risk_json", "context_json", "exec_json"), "classes": ("collapse",)}),
    )
    readonly_fields = ("coloured_status", "summary", "chart", "links", "trace")

    @coloured("side", SIDES)
    def coloured_side(self, plan: OrderPlan) -> str:
        return str(plan.side)

    @coloured("status", ORDERS, ordering="status")
    def coloured_status(self, plan: OrderPlan) -> str:
        return str(plan.status)

    @admin.display(description="plan")
    def summary(self, plan: OrderPlan) -> str:
        newest = {order.tranche: order for order in plan.orders.order_by("attempt")}
        tranches = [each | {"order": newest.get(number)} for number, each in enumerate(plan.tranches)]
        return render_to_string("admin/orders/plan.html", {"plan": plan, "tranches": tranches})

    @admin.display(description="chart")
    def chart(self, plan: OrderPlan) -> str:
        now = timezone.now()
        candles = [] if self.candles is None else self.candles(plan.symbol, *span(plan, now))
        return plan_chart(plan, candles, now)

    @admin.display(description="trace")
    def trace(self, plan: OrderPlan) -> str:
        """Each condition with its values, per timeframe, as the verdict saw them."""
        return trace(plan.context_json)

    @admin.display(description="leads to")
    def links(self, plan: OrderPlan) -> str:
        key = plan.decision_key
        return joined(
            link("mtf_mtfrun_changelist", "run", run_id=plan.run_id),
            link("orders_exchangeorder_changelist", "orders", decision_key=key),
            link("orders_position_changelist", "position", decision_key=key),
            link("audit_tradelifecycleevent_changelist", "events", decision_key=key),
        )

    def has_review_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """May this person answer, and does the plan still wait?"""
        waits = (
            object_id is not None and OrderPlan.objects.filter(pk=object_id, status="PENDING_REVIEW").exists()
        )
        return waits and request.user.has_perm("orders.review_orderplan")

    @action(description="Approve", permissions=["review"], url_path="approve")  # type: ignore[untyped-decorator]  # unfold has none
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if request.method != "POST":
            return self._ask(request, object_id, "approve")
        return self._told(request, object_id, "approved")

    @action(description="Reject", permissions=["review"], url_path="reject")  # type: ignore[untyped-decorator]  # unfold has none
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        form = RejectForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            return self._ask(request, object_id, "reject", form)
        return self._told(request, object_id, "rejected", form.cleaned_data["reason"])

    def _ask(
        self, request: HttpRequest, object_id: str, answer: str, form: RejectForm | None = None
    ) -> HttpResponse:
        """A page that asks once more: following a link changes nothing."""
        plan = get_object_or_404(OrderPlan, pk=object_id)
        title = f"{answer.capitalize()} {plan.symbol} {plan.side}?"
        context: dict[str, Any] = self.admin_site.each_context(request) | {
            "title": title,
            "opts": self.model._meta,
            "plan": plan,
            "form": form,
            "answer": answer,
        }
        return render(request, "admin/orders/review.html", context)

    def _told(self, request: HttpRequest, object_id: str, answer: str, reason: str = "") -> HttpResponse:
        who: dict[str, Any] = {"actor": request.user.get_username(), "now": timezone.now()}
        try:
            if answer == "approved":
                plan = review.approve(int(object_id), **who)
            else:
                plan = review.reject(int(object_id), reason=reason, **who)
        except review.NotWaiting as late:
            self.message_user(request, str(late), messages.ERROR)
        else:
            self.message_user(request, f"{plan.symbol} {plan.side} {answer}.", messages.SUCCESS)
        return redirect("admin:orders_orderplan_change", object_id)


@admin.register(SymbolLock)
class SymbolLockAdmin(BigTableAdmin):
    list_display = ("symbol", "state", "locked_at", "released_at", "decision", "account")
    list_filter = (
        ("account", ExactFilter),
        ("locked_at", TimeRangeFilter),
    )
    ordering = (F("released_at").desc(nulls_first=True), "-id")
    list_select_related = ("plan",)

    @coloured("now", {"locked": "warning", "free": "success"})
    def state(self, lock: SymbolLock) -> str:
        return "free" if lock.released_at else "locked"

    @admin.display(description="plan")
    def decision(self, lock: SymbolLock) -> str:
        key = lock.plan.decision_key
        return link("orders_orderplan_changelist", key, decision_key=key)
