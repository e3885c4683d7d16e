"""The tiny exchange behind lists that show different moments, or nothing, as a real one's sometimes do."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from apps.engine.ports.account import BrokerUnavailable
from apps.engine.values.order import Fill, OrderReport, ProtectionReport
from apps.engine.values.position import PositionReport, Side
from tests.engine.tiny_exchange import TinyExchange

List = Literal["orders", "order", "positions", "protections", "fills"]
KEPT = 12
"""Seconds: no list is later than that."""
LISTS: tuple[List, ...] = ("orders", "order", "positions", "protections", "fills")


@dataclass
class Moment:
    """What every list would have shown then."""

    at: datetime
    orders: list[OrderReport]
    over: dict[str, OrderReport]
    positions: list[PositionReport]
    protections: list[ProtectionReport]
    fills: list[Fill]


@dataclass
class LaggingExchange(TinyExchange):
    """`lag_s`: by how many seconds a list is late; `empty`: lists that show nothing; `away`: that are silent.

    A look-up of one order shows what its lists of then show; `empty` ones of it find nothing.
    """

    lag_s: dict[List, int] = field(default_factory=dict)
    empty: set[List] = field(default_factory=set)
    away: set[List] = field(default_factory=set)
    past: list[Moment] = field(default_factory=list)

    def remember(self) -> None:
        """Keep what is there now, for lists that will be late."""
        self.past = [moment for moment in self.past if moment.at < self.now][-KEPT:]
        self.past.append(
            Moment(
                self.now,
                list(self.resting.values()),
                dict(self.over),
                list(self.held.values()),
                list(self.stops.values()),
                copy(self.trades),
            )
        )

    def orders(self, symbol: str | None = None) -> list[OrderReport]:
        return self._shown("orders", lambda then: then.orders)

    def order(self, symbol: str, client_order_id: str) -> OrderReport | None:
        [then] = self._shown("order", lambda moment: [moment]) or [None]
        if then is None:
            return None
        open_then = {report.client_order_id: report for report in then.orders}
        return open_then.get(client_order_id) or then.over.get(client_order_id)

    def positions(self, symbol: str | None = None) -> list[PositionReport]:
        return self._shown("positions", lambda then: then.positions)

    def protections(self, symbol: str | None = None) -> list[ProtectionReport]:
        return self._shown("protections", lambda then: then.protections)

    def fills(self, symbol: str, since: datetime) -> list[Fill]:
        return [fill for fill in self._shown("fills", lambda then: then.fills) if fill.at >= since]

    def fill_late(self, size: Decimal) -> None:
        """So much of an order that was over had traded before its cancel came: it is told only now."""
        for client_id, order in self.over.items():
            if traded := min(size, order.size - order.filled):
                self._trade(order, traded)
                after = replace(order, filled=order.filled + traded, average_price=order.price)
                self.over[client_id] = after
                self._attach(after)
                return

    def trade_by_hand(self, side: Side, size: Decimal) -> None:
        """Somebody opens, or adds to, a position that is not ours."""
        held = self.held.get(side)
        entry = Decimal(50_000)
        if held is None:
            held = PositionReport(self.symbol, side, Decimal(0), entry, self.now)
        self.held[side] = replace(held, size=held.size + size)
        self._book("hand", side, size, opens=True)

    def _shown(self, name: List, part: Callable[[Moment], list]) -> list:  # type: ignore[type-arg]  # of any row
        if name in self.away:
            raise BrokerUnavailable(f"{name}: no answer")
        if name in self.empty:
            return []
        self.remember()
        late = self.now - timedelta(seconds=self.lag_s.get(name, 0))
        then = [moment for moment in self.past if moment.at <= late] or self.past[:1]
        return list(part(then[-1]))
