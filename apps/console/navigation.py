"""The admin's side bar, by what one looks for."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

GROUPS = {
    "Operate": {
        "Kill switches": ("toggle_on", "switches_mtfswitch"),
        "Queue marks": ("playlist_add", "switches_symbolqueue"),
        "Runs": ("timer", "mtf_mtfrun"),
        "Watch": ("visibility", "mtf_watchstate"),
        "Close requests": ("logout", "orders_closerequest"),
        "Operator actions": ("history_edu", "audit_operatoraction"),
    },
    "Trading": {
        "Order plans": ("assignment", "orders_orderplan"),
        "Orders": ("receipt", "orders_exchangeorder"),
        "Fills": ("done_all", "orders_fill"),
        "Positions": ("account_balance_wallet", "orders_position"),
        "Protections": ("shield", "orders_protection"),
        "Symbol locks": ("lock", "orders_symbollock"),
        "Cooldowns": ("hourglass_top", "switches_cooldown"),
        "Trade events": ("list_alt", "audit_tradelifecycleevent"),
        "Zone events": ("filter_center_focus", "audit_tradezoneevent"),
    },
    "Money": {
        "Equity": ("show_chart", "orders_equitypoint"),
        "Days": ("calendar_month", "orders_riskday"),
        "Transactions": ("payments", "orders_accounttransaction"),
    },
    "Decisions": {
        "Audit": ("policy", "audit_mtfaudit"),
        "States": ("grid_on", "signals_mtfstate"),
        "Signals": ("trending_up", "signals_signal"),
        "Snapshots": ("monitoring", "signals_indicatorsnapshot"),
        "Profile versions": ("description", "profiles_profileversion"),
    },
    "Market": {
        "Contracts": ("receipt_long", "market_contract"),
        "Contract faults": ("report", "market_contractfault"),
        "Candles": ("candlestick_chart", "market_kline"),
        "Series": ("stacked_line_chart", "market_marketseries"),
        "Stream health": ("ecg_heart", "feed_streamhealth"),
    },
    "House": {
        "Periodic tasks": ("schedule", "django_celery_beat_periodictask"),
        "Users": ("person", "auth_user"),
        "Groups": ("group", "auth_group"),
    },
}
"""Group → title → (icon, app and model)."""


def groups(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups with the entries this user may see."""
    shown: list[dict[str, Any]] = [
        {"items": [{"title": "Overview", "icon": "dashboard", "link": reverse("admin:index")}]}
    ]
    for group, entries in GROUPS.items():
        items = []
        for title, (icon, model) in entries.items():
            app, name = model.rsplit("_", 1)
            if request.user.has_perm(f"{app}.view_{name}"):
                items.append({"title": title, "icon": icon, "link": reverse(f"admin:{model}_changelist")})
        if items:
            shown.append({"title": group, "items": items})
    return shown
