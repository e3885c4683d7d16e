"""A Broker for one symbol, in memory, that fails on demand: following is judged from its books."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from apps.engine.ports.account import BrokerRateLimited, BrokerRejected, BrokerUnavailable, BrokerUnknown
from apps.engine.values.order import Fill, OrderReport, OrderRequest, ProtectionKind, ProtectionReport
from apps.engine.values.position import PositionReport, Side

Answer = Literal["ok", "lost", "held", "rejected", "again", "full", "unreachable"]
"""lost: never arrives and no answer comes; held: executed, and no answer comes."""


@dataclass
class TinyExchange:
    """Sizes in contracts. `answers` is used up one a submit, `calls` one a protective call or cancel.

    `sized_presets`: an order's stop and target are of what it filled, else of the whole position.
    """

    symbol: str
    now: datetime
    preset_on_partial: Literal["first_fill", "complete", "never"] = "first_fill"
    sized_presets: bool = False
    answers: list[Answer] = field(default_factory=list)
    calls: list[Answer] = field(default_factory=list)
    requests: list[OrderRequest] = field(default_factory=list)
    leverages: list[int] = field(default_factory=list)
    resting: dict[str, OrderReport] = field(default_factory=dict)
    over: dict[str, OrderReport] = field(default_factory=dict)
    held: dict[Side, PositionReport] = field(default_factory=dict)
    stops: dict[str, ProtectionReport] = field(default_factory=dict)
    trades: list[Fill] = field(default_factory=list)
    _presets: dict[str, OrderRequest] = field(default_factory=dict)

    # what the engine calls

    def set_leverage(self, symbol: str, leverage: int) -> None:
        self.leverages.append(leverage)

    def submit(self, request: OrderRequest, before_sending: Callable[[], None] | None = None) -> str:
        answer = (self.answers.pop(0) if self.answers else "ok") if request.opens else self._call()
        if answer == "full":
            raise BrokerRateLimited("no slot within 500 ms")
        if answer == "unreachable":
            raise BrokerUnavailable("connection refused")
        if before_sending is not None:
            before_sending()
        if answer in ("rejected", "again"):
            raise BrokerRejected("40027", "refused", try_again=answer == "again")
        if answer != "lost":
            self.place(request)
        if answer in ("lost", "held"):
            raise BrokerUnknown("no answer within 3 s")
        return f"x{request.client_order_id}"

    def orders(self, symbol: str | None = None) -> list[OrderReport]:
        return list(self.resting.values())

    def order(self, symbol: str, client_order_id: str) -> OrderReport | None:
        return self.resting.get(client_order_id) or self.over.get(client_order_id)

    def positions(self, symbol: str | None = None) -> list[PositionReport]:
        return list(self.held.values())

    def protections(self, symbol: str | None = None) -> list[ProtectionReport]:
        return list(self.stops.values())

    def fills(self, symbol: str, since: datetime) -> list[Fill]:
        return [trade for trade in self.trades if trade.at >= since]

    def cancel(self, symbol: str, client_order_id: str) -> None:
        self._refuse()
        self._end(client_order_id)

    def protect(
        self,
        symbol: str,
        side: Side,
        kind: ProtectionKind,
        trigger_price: Decimal,
        client_order_id: str,
        size: Decimal | None = None,
    ) -> str:
        self._refuse()
        if side not in self.held:
            raise BrokerRejected("40021", "no position")
        self._protect(side, kind, trigger_price, client_order_id, size=size)
        return f"x{client_order_id}"

    def unprotect(self, symbol: str, exchange_order_id: str) -> None:
        self._refuse()
        self.stops.pop(exchange_order_id, None)

    # what the market does

    def fill(self, size: Decimal) -> None:
        """So much of the resting orders trades, the nearest to the market first."""
        nearest = sorted(
            self.resting.values(), key=lambda row: -row.price if row.side == Side.LONG else row.price
        )
        for order in nearest:
            traded = min(size, order.size - order.filled)
            if not traded:
                return
            size -= traded
            self._trade(order, traded)
            after = replace(order, filled=order.filled + traded, average_price=order.price)
            self.resting[order.client_order_id] = after
            self._attach(after)
            if after.filled == order.size:
                self._end(order.client_order_id)

    def trigger(self, kind: ProtectionKind) -> None:
        """The price reaches every stop, or every target: what they close is closed, and they are gone."""
        for key, stop in list(self.stops.items()):
            if stop.kind == kind:
                del self.stops[key]
                self._close(stop.side, stop.size)

    def trigger_first_target(self) -> None:
        """The price reaches the targets of a part of the position, and no others."""
        for key, target in list(self.stops.items()):
            if (
                target.kind == ProtectionKind.TARGET
                and target.size is not None
                and not key.startswith("preset")
            ):
                del self.stops[key]
                self._close(target.side, target.size)

    def quote(self, mark: Decimal) -> None:
        """The mark price of what is held."""
        self.held = {side: replace(held, mark_price=mark) for side, held in self.held.items()}

    def place(self, request: OrderRequest) -> None:
        self.requests.append(request)
        if not request.opens:
            self._close(request.side, request.size)
            return
        self._presets[request.client_order_id] = request
        self.resting[request.client_order_id] = OrderReport(
            exchange_order_id=f"x{request.client_order_id}",
            client_order_id=request.client_order_id,
            symbol=self.symbol,
            side=request.side,
            opens=True,
            price=request.price or Decimal(0),
            size=request.size,
            filled=Decimal(0),
            average_price=Decimal(0),
            open=True,
            updated_at=self.now,
        )

    def _end(self, client_id: str) -> None:
        if client_id in self.resting:
            self.over[client_id] = replace(self.resting.pop(client_id), open=False)

    def _attach(self, order: OrderReport) -> None:
        request, complete = self._presets[order.client_order_id], order.filled == order.size
        due = self.preset_on_partial == "first_fill" or (self.preset_on_partial == "complete" and complete)
        if not due or (not self.sized_presets and any(key.startswith("preset") for key in self.stops)):
            return
        for kind, price in (
            (ProtectionKind.STOP, request.stop_price),
            (ProtectionKind.TARGET, request.target_price),
        ):
            if price is not None:
                key = f"preset{kind}" + (order.client_order_id if self.sized_presets else "")
                size = order.filled if self.sized_presets else None
                self._protect(request.side, kind, price, "", key=key, size=size)

    def _protect(
        self,
        side: Side,
        kind: ProtectionKind,
        price: Decimal,
        client_id: str,
        key: str = "",
        size: Decimal | None = None,
    ) -> None:
        key = key or f"x{client_id}"
        self.stops[key] = ProtectionReport(key, client_id, self.symbol, side, kind, price, size)

    def _trade(self, order: OrderReport, size: Decimal) -> None:
        position = self.held.get(order.side) or PositionReport(
            symbol=self.symbol,
            side=order.side,
            size=Decimal(0),
            entry_price=order.price,
            mark_price=order.price,
            opened_at=self.now,
        )
        grown = position.size + size
        average = (position.entry_price * position.size + order.price * size) / grown
        self.held[order.side] = replace(position, size=grown, entry_price=average)
        self._book(order.exchange_order_id, order.side, size, opens=True)

    def _close(self, side: Side, size: Decimal | None) -> None:
        position = self.held.get(side)
        if position is None:
            return
        closed = position.size if size is None else min(size, position.size)
        self._book("close", side, closed, opens=False)
        if closed == position.size:
            del self.held[side]
        else:
            self.held[side] = replace(position, size=position.size - closed)

    def _book(self, order_id: str, side: Side, size: Decimal, *, opens: bool) -> None:
        zero = Decimal(0)
        self.trades.append(
            Fill(
                f"t{len(self.trades)}",
                order_id,
                self.symbol,
                side,
                opens,
                Decimal(1),
                size,
                zero,
                zero,
                True,
                self.now,
            )
        )

    def _call(self) -> Answer:
        return self.calls.pop(0) if self.calls else "ok"

    def _refuse(self) -> None:
        answer = self._call()
        if answer in ("rejected", "again"):
            raise BrokerRejected("40011", "refused")
        if answer in ("full", "unreachable"):
            raise BrokerUnavailable("no slot")
        if answer in ("lost", "held"):
            raise BrokerUnknown("no answer")
