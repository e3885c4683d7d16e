"""What is held, what it earned, and what protects it."""

from __future__ import annotations

from decimal import Decimal

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from apps.admin_base.cell import coloured, figures, joined, link, number, plain_fields
from apps.admin_base.format import plain
from apps.admin_base.table import BigTableAdmin, ExactFilter, TimeRangeFilter
from apps.orders.admin.close import close_chosen
from apps.orders.admin.plan import SIDES
from apps.orders.models import Position, Protection

POSITIONS = {
    "OPENING": "info",
    "NAKED": "danger",
    "PROTECTED": "success",
    "CLOSING": "warning",
    "CLOSED": "info",
    "FOREIGN": "warning",
}
PROTECTIONS = {
    "PLACING": "info",
    "ACTIVE": "success",
    "REPLACING": "info",
    "TRIGGERED": "success",
    "CANCELLED": "info",
    "LOST": "danger",
}


@admin.register(Position)
class PositionAdmin(BigTableAdmin):
    list_display = (
        "opened_at",
        "symbol",
        "profile",
        "coloured_side",
        "coloured_status",
        number("size"),
        number("entry_price", "entry"),
        number("stop_price", "stop"),
        number("target_price", "target"),
        "price",
        "unrealised",
        number("realised_usdt", "realised USDT"),
        number("r_multiple", "R"),
        number("mfe_r", "MFE R"),
        number("mae_r", "MAE R"),
        "held",
        "links",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("profile", ExactFilter),
        ("account", ExactFilter),
        ("decision_key", ExactFilter),
        ("opened_at", TimeRangeFilter),
    )
    ordering = ("-opened_at", "-id")
    actions = ("close_at_market",)
    fields = readonly_fields = ["links", "held", "excursion", *plain_fields(Position)]

    @coloured("side", SIDES)
    def coloured_side(self, position: Position) -> str:
        return str(position.side)

    @coloured("status", POSITIONS, ordering="status")
    def coloured_status(self, position: Position) -> str:
        return str(position.status)

    def has_close_permission(self, request: HttpRequest) -> bool:
        """Whoever may stop what opens may also close."""
        return bool(request.user.has_perm("switches.change_mtfswitch"))

    @admin.action(description="Close at market", permissions=["close"])
    def close_at_market(self, request: HttpRequest, chosen: QuerySet[Position]) -> HttpResponse | None:
        return close_chosen(self, request, chosen)

    @admin.display(description="mark or exit")
    def price(self, position: Position) -> str:
        return plain(position.mark_price if position.closed_at is None else position.exit_price)

    @admin.display(description="unrealised USDT", ordering="unrealised_usdt")
    def unrealised(self, position: Position) -> str:
        """With its age: the exchange is read each few seconds, if it can be."""
        if position.unrealised_usdt is None or position.marked_at is None:
            return "–"
        age_s = (timezone.now() - position.marked_at).total_seconds()
        return f"{position.unrealised_usdt:+.2f} ({age_s:.0f} s ago)"

    @admin.display(description="held")
    def held(self, position: Position) -> str:
        if position.closed_at is None:
            return "open"
        return str(position.closed_at - position.opened_at).split(".")[0]

    @admin.display(description="went for and against it")
    def excursion(self, position: Position) -> str:
        """By whole 1m candles, fees aside; unknown until they are stored."""
        if position.best_price is None:
            return "–" if position.closed_at is None else "unknown: not all its 1m candles are stored"
        return figures(
            {
                "best": _excursion(position.best_price, position.mfe_pct, position.mfe_r),
                "worst": _excursion(position.worst_price, position.mae_pct, position.mae_r),
            }
        )

    @admin.display(description="leads to")
    def links(self, position: Position) -> str:
        shown = [
            link("orders_fill_changelist", "fills", position__id__exact=position.pk),
            link("orders_protection_changelist", "protections", position__id__exact=position.pk),
        ]
        if position.decision_key:
            key = position.decision_key
            shown.append(link("orders_orderplan_changelist", "plan", decision_key=key))
        return joined(*shown)


def _excursion(price: Decimal | None, pct: Decimal | None, in_r: Decimal | None) -> str:
    assert price is not None
    text = f"{price.normalize():f}, {pct:.2f} %"
    return text if in_r is None else f"{text}, {in_r:.2f} R"


@admin.register(Protection)
class ProtectionAdmin(BigTableAdmin):
    list_display = (
        "placed_at",
        "symbol",
        "coloured_side",
        "kind",
        "coloured_status",
        number("trigger_price", "trigger"),
        number("size"),
        "confirmed_at",
        "position_link",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("account", ExactFilter),
        ("placed_at", TimeRangeFilter),
    )
    ordering = ("-placed_at", "-id")
    fields = readonly_fields = ["position_link", *plain_fields(Protection)]

    @coloured("side", SIDES)
    def coloured_side(self, row: Protection) -> str:
        return str(row.side)

    @coloured("status", PROTECTIONS, ordering="status")
    def coloured_status(self, row: Protection) -> str:
        return str(row.status)

    @admin.display(description="position")
    def position_link(self, row: Protection) -> str:
        if row.position_id is None:
            return "–"
        return link("orders_position_changelist", "position", id__exact=row.position_id)
