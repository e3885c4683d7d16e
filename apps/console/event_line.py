"""What happened to orders and positions, each event in one line for people."""

from __future__ import annotations

from decimal import Decimal

from rich.markup import escape

from apps.admin_base.format import plain
from apps.audit.models import TradeLifecycleEvent
from apps.engine import events
from apps.orders.models import Position

FIXED = {
    events.OrderNeverArrived.name: "it never arrived; the symbol is free again",
    events.OrderAdopted.name: "an order of ours that was not in the books was found",
    events.OrderCancelled.name: "[yellow]cancelled[/]",
    events.OrderExpired.name: "[yellow]expired[/], its time was over",
    events.PositionForeign.name: "[bold red]a position that is not ours[/]: the symbol is blocked",
    events.EmergencyClose.name: "[bold red]unprotected for too long: closed at market[/]",
    events.TimeStop.name: "[yellow]held for as long as its profile allows[/]: closed at market",
    events.CloseFailing.name: "[bold red]closing it fails: GLOBAL was switched off[/]",
}
REASONED = {
    events.RequestedClose.name: "[bold yellow]closed at market as asked[/]",
    events.OrderRejected.name: "[red]rejected by the exchange[/]",
    events.OrderDenied.name: "[yellow]not sent[/]",
    events.FallbackRefused.name: "[yellow]its rest is not taken from the book[/]",
    events.OrderUnknown.name: "[bold red]no answer: it may rest or not[/]",
    events.OrderLost.name: "[bold red]acknowledged once, and now nowhere[/]",
}
"""Followed by the reason's code, or what the exchange or a person said."""


def event_line(event: TradeLifecycleEvent) -> str | None:
    """Return the event in rich markup; None for the small steps in between."""
    name, extra, size = event.event_type, event.extra, event.quantity
    if name in FIXED:
        text = FIXED[name]
    elif name in REASONED:
        reason = event.reason_code or escape(extra.get("detail") or "no reason told")
        text = f"{REASONED[name]}: {reason}"
    elif name == events.PlanClaimed.name:
        text = (
            f"[cyan]planned[/] {plain(size)} at {_entry_prices(event)}, "
            f"stop {plain(extra['stop'])}, target {plain(extra['target'])}, "
            f"risk {Decimal(extra['risk']):.2f} USDT, {event.profile}"
        )
    elif name == events.OrderAcknowledged.name:
        text = f"[cyan]submitted[/] with stop and target, {plain(size)} at {plain(event.price)}"
    elif name == events.OrderFilled.name:
        filled = Decimal(extra["filled"])
        of = "" if size is None or filled >= size else f" of {plain(size)}"
        text = f"[green]filled[/] {plain(filled)}{of} at {plain(event.price)}"
    elif name == events.PositionProtected.name:
        text = f"[green]protected[/], stop {plain(extra['stop'])} read back from the exchange"
    elif name == events.StopMoved.name:
        text = f"[green]stop moved[/] to {plain(extra['stop'])}, read back from the exchange"
    elif name == events.CallFailed.name:
        text = f"[red]{extra['call']} failed[/]: {escape(extra['detail'])}"
    elif name == events.PositionClosed.name:
        held = Position.objects.filter(decision_key=event.decision_key, closed_at__isnull=False).last()
        if held is None or held.realised_usdt is None:
            text = "[bold]closed[/]; what it earned is not known yet"
        else:
            by = f" by {escape(held.close_reason)}" if held.close_reason else ""
            colour = "green" if held.realised_usdt > 0 else "red"
            r_multiple = "" if held.r_multiple is None else f", {held.r_multiple:+.2f} R"
            text = f"[bold]closed[/]{by}: [{colour}]{held.realised_usdt:+.2f} USDT[/]{r_multiple}"
    else:
        return None
    if "tranche" in extra:
        text = f"tranche {extra['tranche']} {text}"
    side = f" {event.side}" if event.side else ""
    return f"{event.happened_at:%H:%M:%S} [bold]{event.symbol}[/]{side}: {text}"


def _entry_prices(event: TradeLifecycleEvent) -> str:
    tranches = event.extra.get("tranches")
    if not tranches:
        return plain(event.price)
    return f"{plain(tranches[0]['price'])} to {plain(tranches[-1]['price'])} in {len(tranches)} tranches"
