"""Our trades, each stored once, and the position each belongs to."""

from __future__ import annotations

from datetime import datetime, timedelta

from apps.db.bookkeeping import Attempt, bookkeeping
from apps.engine.values.order import Fill as FillValue
from apps.orders import result
from apps.orders.models import ExchangeOrder, Fill, Position

CLOCK_DRIFT = timedelta(seconds=5)
"""How much earlier than our plan the exchange may date its fill: beyond 3 s of drift nothing is traded."""


def save_fill(account: str, fill: FillValue) -> Attempt:
    """Store it unless it is, by trade id; it finds its order and position if known.

    One that cannot be written comes again with the next read; what it moved, the position's report tells.
    """
    numbers = {"price": fill.price, "size": fill.size, "fee": fill.fee, "realised": fill.realised}
    with bookkeeping("fill", symbol=fill.symbol, trade_id=fill.trade_id, **numbers) as attempt:
        _insert(account, fill)
    if attempt.fault is None:
        attach_fills(account, fill.symbol, fill.side.value)
    return attempt


def attach_fills(account: str, symbol: str, side: str) -> Attempt:
    """Give fills without a position to the one they belong to; a closed one is reckoned again.

    Both or neither, so that a result that cannot be written is reckoned again at the next look.
    """
    rows = Fill.objects.filter(account=account, symbol=symbol, side=side, position=None).order_by("at")
    loose: list[Fill] = []
    with bookkeeping("fills_of_position", symbol=symbol, side=side) as attempt:
        loose = list(rows)
    for fill in loose:
        numbers = {"price": fill.price, "size": fill.size, "realised": fill.realised, "fee": fill.fee}
        with bookkeeping("fill_of_position", symbol=symbol, trade_id=fill.trade_id, **numbers) as attempt:
            fill.position = _owner(fill)
            if fill.position is not None:
                fill.save(update_fields=["position"])
                if fill.position.closed_at is not None:
                    result.settle_position(fill.position)
        if attempt.busy:
            break
    return attempt


def save_missing_results(account: str, *, since: datetime) -> None:
    """What could not be written since then: fills without their position, and results."""
    loose: list[tuple[str, str]] = []
    unreckoned: list[Position] = []
    with bookkeeping("results", since=since):
        rows = Fill.objects.filter(account=account, position=None, at__gte=since)
        loose = sorted(set(rows.values_list("symbol", "side")))
        closed = Position.objects.filter(account=account, closed_at__gte=since, exit_price=None)
        unreckoned = list(closed.filter(fills__opens=False).distinct())
    for symbol, side in loose:
        if attach_fills(account, symbol, side).busy:
            return
    for position in unreckoned:
        if result.try_settle_position(position).busy:
            return


def _insert(account: str, fill: FillValue) -> None:
    order = ExchangeOrder.objects.filter(account=account, exchange_order_id=fill.exchange_order_id).first()
    Fill.objects.get_or_create(
        account=account,
        symbol=fill.symbol,
        trade_id=fill.trade_id,
        defaults={
            "order": order,
            "exchange_order_id": fill.exchange_order_id,
            "side": fill.side.value,
            "opens": fill.opens,
            "price": fill.price,
            "size": fill.size,
            "fee": fill.fee,
            "realised": fill.realised,
            "is_maker": fill.is_maker,
            "at": fill.at,
        },
    )


def _owner(fill: Fill) -> Position | None:
    """By the order's decision where it is known, else the newest position of that side begun before it."""
    positions = Position.objects.filter(account=fill.account, symbol=fill.symbol, side=fill.side)
    newest = positions.select_related("plan").order_by("-opened_at", "-id")
    if fill.order is not None and fill.order.decision_key:
        return newest.filter(decision_key=fill.order.decision_key).first()
    return next((one for one in newest if fill.at >= _begun(one) - CLOCK_DRIFT), None)


def _begun(position: Position) -> datetime:
    return position.opened_at if position.plan is None else min(position.opened_at, position.plan.plan_time)
