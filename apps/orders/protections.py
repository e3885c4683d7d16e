"""Protective orders as asked for and as read back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from apps.db.bookkeeping import bookkeeping
from apps.engine.events import ProtectionAsked
from apps.engine.values.order import ProtectionReport
from apps.engine.values.position import ProtectionStatus
from apps.orders.models import Position, Protection
from apps.orders.statuses import RESTING_PROTECTION


def save_requested_protection(position: Position, event: ProtectionAsked) -> None:
    """A protective order is about to be placed: PLACING until it is read back.

    A row that cannot be written is told, and the order is placed: the position counts what was asked for.
    """
    numbers = {"kind": event.kind, "trigger_price": event.trigger_price, "id": event.client_order_id}
    with bookkeeping("protection_asked", symbol=position.symbol, **numbers):
        Protection.objects.get_or_create(
            account=position.account,
            client_order_id=event.client_order_id,
            defaults={
                "symbol": position.symbol,
                "side": position.side,
                "position": position,
                "kind": event.kind.value,
                "status": ProtectionStatus.PLACING.value,
                "trigger_price": event.trigger_price,
                "placed_at": event.at,
                "updated_at": event.at,
            },
        )


def sync_protections(account: str, symbol: str, reports: Iterable[ProtectionReport], now: datetime) -> None:
    """Take over a complete read, after its events were recorded: those shown are ACTIVE, others are over.

    Gone while the position is held: LOST. Gone with the position: TRIGGERED when we asked for no close and it
    ended nearer to this trigger than to the entry (the exchange does not say), else CANCELLED. Only what was
    read protects: a row that cannot be written is told, and taken over at the next read.
    """
    shown = {report.exchange_order_id: report for report in reports}
    for report in shown.values():
        numbers = {"kind": report.kind, "trigger_price": report.trigger_price, "size": report.size}
        with bookkeeping("protection", symbol=symbol, id=report.exchange_order_id, **numbers) as attempt:
            _confirm(account, report, now)
        if attempt.busy:
            return
    with bookkeeping("protections_over", symbol=symbol):
        active = Protection.objects.filter(
            account=account, symbol=symbol, status=ProtectionStatus.ACTIVE.value
        )
        _end(active.exclude(exchange_order_id__in=shown), now)


def end_protections(account: str, symbol: str, now: datetime) -> None:
    """The symbol is flat and clean: nothing of it can fire any more, also what was never read back."""
    _end(Protection.objects.filter(account=account, symbol=symbol, status__in=RESTING_PROTECTION), now)


def _end(rows: QuerySet[Protection], now: datetime) -> None:
    for row in rows.select_related("position"):
        row.status, row.updated_at = _over(row).value, now
        row.save(update_fields=["status", "updated_at"])


def _confirm(account: str, report: ProtectionReport, now: datetime) -> None:
    row = _row(account, report, now)
    new = (ProtectionStatus.ACTIVE.value, report.exchange_order_id, report.trigger_price, report.size)
    if row.pk and (row.status, row.exchange_order_id, row.trigger_price, row.size) == new:
        return
    row.status, row.exchange_order_id, row.trigger_price, row.size = new
    row.confirmed_at = row.confirmed_at or now
    row.updated_at = now
    row.save()


def _row(account: str, report: ProtectionReport, now: datetime) -> Protection:
    """Its own row, by the exchange's id or the client id it was asked for with, or a new one."""
    ours = Protection.objects.filter(account=account)
    row = ours.filter(exchange_order_id=report.exchange_order_id).first()
    if row is None and report.client_order_id:
        row = ours.filter(client_order_id=report.client_order_id, status__in=RESTING_PROTECTION).first()
    return row or Protection(
        account=account,
        symbol=report.symbol,
        side=report.side.value,
        kind=report.kind.value,
        client_order_id=report.client_order_id,
        position=_held(account, report),
        placed_at=now,
    )


def _held(account: str, report: ProtectionReport) -> Position | None:
    return Position.objects.filter(
        account=account, symbol=report.symbol, side=report.side.value, closed_at=None
    ).first()


def _over(row: Protection) -> ProtectionStatus:
    if row.position is None:
        return ProtectionStatus.CANCELLED
    if row.position.closed_at is None:
        return ProtectionStatus.LOST
    return ProtectionStatus.TRIGGERED if _fired(row, row.position) else ProtectionStatus.CANCELLED


def _fired(row: Protection, position: Position) -> bool:
    if row.confirmed_at is None or position.closes_asked or position.exit_price is None:
        return False
    exit_price = position.exit_price
    return abs(exit_price - row.trigger_price) < abs(exit_price - position.entry_price)
