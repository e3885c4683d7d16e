"""Our books of symbols, as the engine compares it with the exchange's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db.models import Q

from apps.engine.follow.fallback import waiting_rest
from apps.engine.values.book import SymbolBook, TrackedOrder
from apps.engine.values.plan import OrderPlan as Plan
from apps.orders.close_request import open_requests
from apps.orders.models import CloseRequest, ExchangeOrder, Fill, Position, Protection, SymbolLock
from apps.orders.models.order import OPEN_ORDER
from apps.orders.values import order_value, plan_value, position_value

log = structlog.get_logger("positions")

KEPT = timedelta(days=1)
"""How long an order that ended, or whose lock did, stays in the book: a late fill, or a list that was wrong
or late, brings it back."""


def active_symbols(account: str) -> list[str]:
    """Return the symbols with a lock, an open order, a resting protection, a position of anybody or a request
    to close it."""
    rows = (
        SymbolLock.objects.for_account(account).alive(),
        ExchangeOrder.objects.for_account(account).open(),
        Position.objects.for_account(account).open(),
        Protection.objects.for_account(account).resting(),
        CloseRequest.objects.for_account(account).open(),
    )
    return sorted({symbol for each in rows for symbol in each.values_list("symbol", flat=True)})


def symbols_entered_since(account: str, moment: datetime) -> set[str]:
    """Return the symbols where an entry rests, or ended since then."""
    rows = ExchangeOrder.objects.for_account(account)
    return set(
        rows.filter(Q(status__in=OPEN_ORDER) | Q(updated_at__gte=moment)).values_list("symbol", flat=True)
    )


def book(account: str, symbol: str, now: datetime) -> SymbolBook:
    """Return what is stored of `symbol`; fills since its lock, oldest order and position, and of a day."""
    [stored] = books(account, [symbol], now).values()
    lock = SymbolLock.objects.for_account(account).alive().filter(symbol=symbol).first()
    locked = [lock.locked_at] if lock else []
    began = [held.opened_at for held in stored.positions] + [order.sent_at for order in stored.orders]
    since = min([now - KEPT, *began, *locked])
    fills = Fill.objects.filter(account=account, symbol=symbol, at__gte=since - KEPT)
    return replace(stored, trade_ids=frozenset(fills.values_list("trade_id", flat=True)))


def books(account: str, symbols: Collection[str], now: datetime) -> dict[str, SymbolBook]:
    """Return the books of `symbols`, by four queries however many they are, without their stored fills.

    What opened a position stays in its book as long as the position does, and a day after its lock's end.
    """
    alive_lately = Q(released_at=None) | Q(released_at__gte=now - KEPT)
    rows_of_locks = SymbolLock.objects.for_account(account).filter(alive_lately, symbol__in=symbols)
    lately = list(rows_of_locks.select_related("plan"))
    locks = {lock.symbol: lock for lock in lately if lock.released_at is None}
    positions: defaultdict[str, list[Position]] = defaultdict(list)
    for row in Position.objects.for_account(account).open().filter(symbol__in=symbols).order_by("id"):
        positions[row.symbol].append(row)
    held = [row for rows in positions.values() for row in rows]
    keys = {lock.plan.decision_key for lock in lately} | {row.decision_key for row in held} - {""}
    since = min([now, *(row.opened_at for row in held if not row.decision_key)]) - KEPT
    wanted = Q(status__in=OPEN_ORDER) | Q(decision_key__in=keys) | Q(updated_at__gte=now - KEPT)
    wanted |= Q(decision_key="", filled__gt=0, updated_at__gte=since)
    orders: defaultdict[str, list[ExchangeOrder]] = defaultdict(list)
    rows = ExchangeOrder.objects.for_account(account).filter(wanted, symbol__in=symbols)
    for order in rows.order_by("id"):
        orders[order.symbol].append(order)
    requests, stored = open_requests(account), {}
    for symbol in symbols:
        lock = locks.get(symbol)
        changes = [order.updated_at for order in orders[symbol]]
        changes += [position.updated_at for position in positions[symbol]]
        stored[symbol] = SymbolBook(
            symbol=symbol,
            locked_by=lock.plan.decision_key if lock else None,
            changed_at=max(changes + ([lock.locked_at] if lock else []), default=None),
            orders=tuple(map(order_value, orders[symbol])),
            positions=tuple(map(position_value, positions[symbol])),
            close_requests=requests.get(symbol, ()),
        )
    return stored


def orders_by_id(account: str, client_order_ids: Collection[str]) -> list[TrackedOrder]:
    """Return the stored orders of these ids, the oldest first; one that is not stored is left out."""
    rows = ExchangeOrder.objects.for_account(account).filter(client_order_id__in=client_order_ids)
    return list(map(order_value, rows.order_by("id")))


@dataclass(frozen=True, slots=True)
class WaitingRest:
    """An order that is over and whose rest may be sent anew, with its plan and the run it came from."""

    order: TrackedOrder
    plan: Plan
    run_id: UUID


def waiting_rests(account: str, now: datetime) -> list[WaitingRest]:
    """Return the rests that wait to be sent, as their symbols' books tell, the most urgent first.

    One whose plan cannot be read is left out, and logged: its time runs out.
    """
    rows = ExchangeOrder.objects.for_account(account).rest_waits(now)
    plans = {row.symbol: row.plan for row in rows.select_related("plan").order_by("-fallback_before")}
    if not plans:
        return []
    stored = books(account, list(plans), now)
    rests = []
    for symbol, plan in plans.items():
        order = waiting_rest(stored[symbol], now)
        if order is None or plan is None or order.decision_key != plan.decision_key:
            continue
        try:
            rests.append(WaitingRest(order, plan_value(plan), plan.run_id))
        except (ValueError, KeyError) as fault:
            log.error("plan_unreadable", symbol=symbol, plan=plan.pk, error=str(fault))
    return sorted(rests, key=lambda rest: rest.order.expires_at)


def symbols_missing_fills(account: str, *, closed_since: datetime) -> list[str]:
    """Return symbols of positions closed since then whose stored trades open and close different sizes."""
    closed = Position.objects.for_account(account).closed_since(closed_since)
    return sorted(set(closed.missing_fills().values_list("symbol", flat=True)))
