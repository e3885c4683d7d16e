"""One symbol's page of the books in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import takewhile

from apps.engine.follow.orders import LIVE, merged_order
from apps.engine.values.account import SymbolState
from apps.engine.values.book import SymbolBook, TrackedOrder, TrackedPosition
from apps.engine.values.order import Fill, OrderStatus
from apps.engine.values.plan import OrderPlan
from apps.engine.values.position import Side, Transaction

KEPT = timedelta(days=1)
"""How long an order that ended unfilled stays in the book: a late fill may still bring it back."""


@dataclass
class SymbolBooks:
    """Orders by client id with the time of their last news; `trades`: fills of a side since it was flat."""

    symbol: str
    _plans: dict[str, OrderPlan] = field(default_factory=dict)
    _orders: dict[str, tuple[TrackedOrder, datetime]] = field(default_factory=dict)
    _positions: dict[Side, TrackedPosition] = field(default_factory=dict)
    _trades: dict[str, Fill] = field(default_factory=dict)
    _funding: dict[str, Transaction] = field(default_factory=dict)
    _settled: dict[str, datetime] = field(default_factory=dict)
    _leverage: int | None = None

    def state(
        self, locked_by: str | None, cooldown_until: datetime | None, now: datetime, since: datetime
    ) -> SymbolState:
        """`since`: decisions used up longer ago are not told."""
        orders = [order for order, _ in self._orders.values()]
        newest_first = reversed(self._plans.items())
        return SymbolState(
            locked_by=locked_by,
            occupied=bool(self._positions) or any(one.status in LIVE for one in orders),
            unknown=any(one.status is OrderStatus.UNKNOWN for one in orders),
            cooldown_until=cooldown_until if cooldown_until and cooldown_until > now else None,
            consumed=frozenset(
                key for key, _ in takewhile(lambda item: item[1].created_at >= since, newest_first)
            ),
            leverage=self._leverage,
        )

    def book(self, locked_by: str | None, now: datetime) -> SymbolBook:
        self._forget(locked_by, now)
        return SymbolBook(
            symbol=self.symbol,
            locked_by=locked_by,
            orders=tuple(order for order, _ in self._orders.values()),
            positions=tuple(self._positions.values()),
            trade_ids=frozenset((*self._trades, *self._settled)),
        )

    def claimed(self, plan: OrderPlan, now: datetime, *, may_leave: bool) -> None:
        self._plans[plan.decision_key] = plan
        if may_leave:
            self._leverage = None  # it may be set for this order, and the order not sent
            self._orders[plan.client_order_id] = (TrackedOrder.of(plan), now)

    def ordered(self, order: TrackedOrder, at: datetime) -> None:
        row, _ = self._orders.get(order.client_order_id, (None, None))
        now = order if row is None else merged_order(row, order)
        self._orders[order.client_order_id] = (now, at)
        if now.exchange_order_id and now.decision_key in self._plans:
            self._leverage = self._plans[now.decision_key].leverage

    def filled(self, fill: Fill) -> None:
        """The same fill twice is one."""
        if fill.trade_id not in self._settled:
            self._trades.setdefault(fill.trade_id, fill)

    def held(self, position: TrackedPosition) -> None:
        self._positions[position.side] = position

    def paid(self, funding: Transaction) -> None:
        self._funding.setdefault(funding.transaction_id, funding)

    def closed(self, position: TrackedPosition) -> Decimal:
        """What the position earned: gross of its fills - fees + funding."""
        self._positions.pop(position.side, None)
        fills = [one for one in self._trades.values() if one.side == position.side]
        earned = sum((one.realised - one.fee for one in fills), Decimal(0))
        earned += sum((one.amount for one in self._funding.values()), Decimal(0))
        self._funding.clear()
        self._settle(fills)
        return earned

    def _settle(self, fills: Iterable[Fill]) -> None:
        for fill in fills:
            self._settled[fill.trade_id] = fill.at
            del self._trades[fill.trade_id]

    def _forget(self, locked_by: str | None, now: datetime) -> None:
        """Orders whose end nothing can change any more, and fills nobody asks for again."""
        self._orders = {
            client_id: (order, at)
            for client_id, (order, at) in self._orders.items()
            if order.status in LIVE
            or order.decision_key == locked_by
            or (not order.filled and now - at <= KEPT)
        }
        self._settled = {trade_id: at for trade_id, at in self._settled.items() if now - at <= KEPT + KEPT}
