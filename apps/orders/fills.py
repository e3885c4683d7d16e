"""Our trades, each stored once, and the position each belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from apps.engine.values.order import Fill as FillValue
from apps.orders import result
from apps.orders.models import ExchangeOrder, Fill, Position

CLOCK_DRIFT = timedelta(seconds=5)
"""How much earlier than our plan the exchange may date its fill: beyond 3 s of drift nothing is traded."""


def save(account: str, fills: Iterable[FillValue]) -> int:
    """Store those not stored yet, by trade id; how many. Each finds its order and position if known."""
    new = [fill for fill in fills if _insert(account, fill)]
    for symbol, side in sorted({(fill.symbol, fill.side.value) for fill in new}):
        attach(account, symbol, side)
    return len(new)


def attach(account: str, symbol: str, side: str) -> None:
    """Give fills without a position to the one they belong to; a closed one is reckoned again."""
    for fill in Fill.objects.filter(account=account, symbol=symbol, side=side, position=None).order_by("at"):
        fill.position = _owner(fill)
        if fill.position is None:
            continue
        fill.save(update_fields=["position"])
        if fill.position.closed_at is not None:
            result.settle(fill.position)


def _insert(account: str, fill: FillValue) -> bool:
    order = ExchangeOrder.objects.filter(account=account, exchange_order_id=fill.exchange_order_id).first()
    _, made = Fill.objects.get_or_create(
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
    return made


def _owner(fill: Fill) -> Position | None:
    """By the order's decision where it is known, else the newest position of that side begun before it."""
    positions = Position.objects.filter(account=fill.account, symbol=fill.symbol, side=fill.side)
    newest = positions.select_related("plan").order_by("-opened_at", "-id")
    if fill.order is not None and fill.order.decision_key:
        return newest.filter(decision_key=fill.order.decision_key).first()
    return next((one for one in newest if fill.at >= _begun(one) - CLOCK_DRIFT), None)


def _begun(position: Position) -> datetime:
    return position.opened_at if position.plan is None else min(position.opened_at, position.plan.plan_time)
