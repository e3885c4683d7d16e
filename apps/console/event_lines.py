"""What happened to orders and positions, each event in one line for people."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from rich.markup import escape

from apps.admin_base.format import plain
from apps.audit.models import TradeLifecycleEvent
from apps.engine import events
from apps.orders.models import Position

Event = TradeLifecycleEvent


def line(event: Event) -> str | None:
    """The event in rich markup; None for the small steps in between."""
    told = WORDS.get(event.event_type)
    if told is None:
        return None
    side = f" {event.side}" if event.side else ""
    return f"{event.happened_at:%H:%M:%S} [bold]{event.symbol}[/]{side}: {told(event)}"


def _said(words: str) -> Callable[[Event], str]:
    return lambda _: words


def _sized(words: str) -> Callable[[Event], str]:
    return lambda event: f"{words} {plain(event.quantity)} at {plain(event.price)}"


def _because(words: str) -> Callable[[Event], str]:
    """With the reason's code, or what the exchange said."""
    return lambda event: (
        f"{words}: {event.reason_code or escape(event.extra.get('detail') or 'no reason told')}"
    )


def _claimed(event: Event) -> str:
    told = event.extra
    return (
        f"[cyan]planned[/] {plain(event.quantity)} at {plain(event.price)}, "
        f"stop {plain(told['stop'])}, target {plain(told['target'])}, "
        f"risk {Decimal(told['risk']):.2f} USDT, {event.profile}"
    )


def _filled(event: Event) -> str:
    filled, whole = Decimal(event.extra["filled"]), event.quantity
    of = "" if whole is None or filled >= whole else f" of {plain(whole)}"
    return f"[green]filled[/] {plain(filled)}{of} at {plain(event.price)}"


def _protected(event: Event) -> str:
    return f"[green]protected[/], stop {plain(event.extra['stop'])} read back from the exchange"


def _closed(event: Event) -> str:
    found = Position.objects.filter(decision_key=event.decision_key, closed_at__isnull=False).last()
    if found is None or found.realised_usdt is None:
        return "[bold]closed[/]; what it earned is not known yet"
    colour = "green" if found.realised_usdt > 0 else "red"
    r_multiple = "" if found.r_multiple is None else f", {found.r_multiple:+.2f} R"
    by = f" by {found.close_reason}" if found.close_reason else ""
    return f"[bold]closed[/]{by}: [{colour}]{found.realised_usdt:+.2f} USDT[/]{r_multiple}"


def _failed(event: Event) -> str:
    return f"[red]{event.extra['call']} failed[/]: {escape(event.extra['detail'])}"


WORDS: dict[str, Callable[[Event], str]] = {
    events.PlanClaimed.name: _claimed,
    events.OrderAcknowledged.name: _sized("[cyan]submitted[/] with stop and target,"),
    events.OrderRejected.name: _because("[red]rejected by the exchange[/]"),
    events.OrderDenied.name: _because("[yellow]not sent[/]"),
    events.OrderUnknown.name: _because("[bold red]no answer: it may rest or not[/]"),
    events.OrderNeverArrived.name: _said("it never arrived; the symbol is free again"),
    events.OrderLost.name: _because("[bold red]acknowledged once, and now nowhere[/]"),
    events.OrderAdopted.name: _said("an order of ours that was not in the books was found"),
    events.OrderFilled.name: _filled,
    events.OrderCancelled.name: _said("[yellow]cancelled[/]"),
    events.OrderExpired.name: _said("[yellow]expired[/], its time was over"),
    events.PositionForeign.name: _said("[bold red]a position that is not ours[/]: the symbol is blocked"),
    events.PositionProtected.name: _protected,
    events.EmergencyClose.name: _said("[bold red]unprotected for too long: closed at market[/]"),
    events.CloseFailing.name: _said("[bold red]closing it fails: GLOBAL was switched off[/]"),
    events.PositionClosed.name: _closed,
    events.CallFailed.name: _failed,
}
