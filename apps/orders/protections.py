"""Protective orders as requested and as read back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet

from apps.db.bookkeeping import bookkeeping
from apps.engine.events import ProtectionAsked
from apps.engine.values.order import ProtectionKind, ProtectionReport
from apps.engine.values.position import ProtectionStatus, Side
from apps.orders.models import Position, Protection


def save_requested_protection(position: Position, event: ProtectionAsked) -> None:
    """Store a protective order that is about to be placed: PLACING until it is read back.

    A row that cannot be written is logged, and the order is placed: the position counts what was asked for.
    """
    numbers = {"kind": event.kind, "trigger_price": event.trigger_price, "size": event.size}
    with bookkeeping("protection_asked", symbol=position.symbol, id=event.client_order_id, **numbers):
        Protection.objects.get_or_create(
            account=position.account,
            client_order_id=event.client_order_id,
            defaults={
                "symbol": position.symbol,
                "side": position.side,
                "position": position,
                "kind": event.kind,
                "status": ProtectionStatus.PLACING,
                "trigger_price": event.trigger_price,
                "size": event.size,
                "placed_at": event.at,
                "updated_at": event.at,
            },
        )


RestingProtections = dict[str, set[tuple[str, Decimal, Decimal | None]]]
"""Symbol → exchange id, trigger price and size of each protective order that was read back."""


def resting_protections(account: str) -> RestingProtections:
    """Return what is stored as resting at the exchange, in the words of its reports."""
    active = Protection.objects.for_account(account).filter(status=ProtectionStatus.ACTIVE)
    resting: RestingProtections = {}
    columns = ("symbol", "exchange_order_id", "trigger_price", "size")
    for symbol, order_id, trigger_price, size in active.values_list(*columns):
        resting.setdefault(symbol, set()).add((order_id, trigger_price, size))
    return resting


def sync_protections(account: str, symbol: str, reports: Iterable[ProtectionReport], now: datetime) -> None:
    """Store a complete read, after its events were recorded: those shown are ACTIVE, others are over.

    Gone while the position is held: TRIGGERED where it was a part's target and a part is closed, CANCELLED
    where it was a looser stop than the one in force, else LOST. Gone with the position: TRIGGERED when we
    asked for no close and it ended nearer to this trigger than to the entry (the exchange does not say), else
    CANCELLED. Only what was read protects: a row that cannot be written is logged, and stored at the next
    read.
    """
    shown = {report.exchange_order_id: report for report in reports}
    for report in shown.values():
        numbers = {"kind": report.kind, "trigger_price": report.trigger_price, "size": report.size}
        with bookkeeping("protection", symbol=symbol, id=report.exchange_order_id, **numbers) as attempt:
            _save_report(account, report, now)
        if attempt.busy:
            return
    with bookkeeping("protections_over", symbol=symbol):
        active = Protection.objects.for_account(account).filter(symbol=symbol, status=ProtectionStatus.ACTIVE)
        _end(active.exclude(exchange_order_id__in=shown), now)


def end_protections(account: str, symbol: str, now: datetime) -> None:
    """Note as over all of a symbol that is flat and clean, also what was never read back: none can fire."""
    _end(Protection.objects.for_account(account).resting().filter(symbol=symbol), now)


def _end(rows: QuerySet[Protection], now: datetime) -> None:
    for row in rows.select_related("position"):
        position = row.position
        if position is None:
            row.status = ProtectionStatus.CANCELLED
        elif position.closed_at is None:
            row.status = _status_beside_position(row, position)
        else:
            row.status = (
                ProtectionStatus.TRIGGERED if _was_triggered(row, position) else ProtectionStatus.CANCELLED
            )
        row.updated_at = now
        row.save(update_fields=["status", "updated_at"])


def _status_beside_position(row: Protection, position: Position) -> ProtectionStatus:
    """Return what became of one that is gone while its position is held."""
    if row.kind == ProtectionKind.TARGET and row.size is not None and position.size < position.max_size:
        return ProtectionStatus.TRIGGERED
    stop, price = position.stop_price, row.trigger_price
    if row.kind == ProtectionKind.TARGET or stop is None or position.recalculated_at is None:
        return ProtectionStatus.LOST
    is_looser = price < stop if position.side == Side.LONG else price > stop
    return ProtectionStatus.CANCELLED if is_looser else ProtectionStatus.LOST


def _was_triggered(row: Protection, position: Position) -> bool:
    if row.confirmed_at is None or position.closes_asked or position.exit_price is None:
        return False
    exit_price = position.exit_price
    return abs(exit_price - row.trigger_price) < abs(exit_price - position.entry_price)


def _save_report(account: str, report: ProtectionReport, now: datetime) -> None:
    """Store it in its own row, by the exchange's id or the client id it was requested with, or a new one."""
    protections = Protection.objects.for_account(account)
    row = protections.filter(exchange_order_id=report.exchange_order_id).first()
    if row is None and report.client_order_id:
        row = protections.resting().filter(client_order_id=report.client_order_id).first()
    if row is None:
        positions = Position.objects.for_account(account).open()
        row = Protection(
            account=account,
            symbol=report.symbol,
            side=report.side,
            kind=report.kind,
            client_order_id=report.client_order_id,
            position=positions.filter(symbol=report.symbol, side=report.side).first(),
            placed_at=now,
        )
    new = (ProtectionStatus.ACTIVE, report.exchange_order_id, report.trigger_price, report.size)
    if row.pk and (row.status, row.exchange_order_id, row.trigger_price, row.size) == new:
        return
    row.status, row.exchange_order_id, row.trigger_price, row.size = new
    row.confirmed_at = row.confirmed_at or now
    row.updated_at = now
    row.save()
