"""The Ledger port in memory: the plainest books that keep the contract."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from apps.engine import events
from apps.engine.enter import guards
from apps.engine.follow.orders import LIVE, merged
from apps.engine.ports import Claimed
from apps.engine.values.book import SymbolBook, TrackedOrder, TrackedPosition
from apps.engine.values.order import Fill, OrderStatus
from apps.engine.values.plan import OrderPlan
from apps.engine.values.reason import Refusal
from apps.engine.values.state import AccountLimits, AccountState, Exposure, SymbolState


@dataclass
class MemoryLedger:
    """One account's books. `off` is what switches say; `review` makes every plan wait for a person."""

    off: dict[str, str] = field(default_factory=dict)
    reconciled: bool = True
    review: bool = False
    limits: AccountLimits = field(default_factory=AccountLimits)
    plans: dict[str, tuple[OrderPlan, OrderStatus]] = field(default_factory=dict)
    locks: dict[str, str] = field(default_factory=dict)
    orders: dict[str, TrackedOrder] = field(default_factory=dict)
    positions: list[TrackedPosition] = field(default_factory=list)
    fills: dict[tuple[str, str], Fill] = field(default_factory=dict)
    cooldowns: dict[str, datetime] = field(default_factory=dict)
    lost: dict[str, Decimal] = field(default_factory=dict)
    happened: list[events.Event] = field(default_factory=list)
    _alone: threading.Lock = field(default_factory=threading.Lock)

    def state(self, symbols: Sequence[str], now: datetime) -> AccountState:
        return AccountState(
            off=dict(self.off),
            reconciled=self.reconciled,
            symbols={symbol: self._symbol(symbol, now) for symbol in symbols},
            exposures=tuple(_exposure(self.plans[key][0]) for key in self.locks.values()),
            lost_today=dict(self.lost),
            limits=self.limits,
        )

    def claim(self, plan: OrderPlan, now: datetime) -> Claimed | Refusal:
        with self._alone:
            state = self.state([plan.symbol], now)
            approved = self.plans.get(plan.decision_key, (plan, None))[1] is OrderStatus.APPROVED
            if approved:
                state = state.without(plan.decision_key)
            refusal = guards.account(plan, state, now)
            if refusal is not None:
                return refusal
            waits = (self.review or plan.review) and not approved
            status = OrderStatus.PENDING_REVIEW if waits else OrderStatus.SUBMITTING
            self.plans[plan.decision_key] = (plan, status)
            self.locks[plan.symbol] = plan.decision_key
            if not waits:
                self.orders[plan.client_order_id] = TrackedOrder.of(plan)
            return Claimed(plan.decision_key, status)

    def record(self, events_: Sequence[events.Event]) -> None:
        for event in events_:
            self._store(event)
            self.happened.append(event)

    def approve(self, decision_key: str) -> None:
        self.plans[decision_key] = (self.plans[decision_key][0], OrderStatus.APPROVED)

    def book(self, symbol: str, now: datetime) -> SymbolBook:
        key = self.locks.get(symbol)
        orders = [one for one in self.orders.values() if one.symbol == symbol]
        return SymbolBook(
            symbol=symbol,
            locked_by=key,
            orders=tuple(
                one for one in orders if one.status in LIVE or one.decision_key == key or not one.filled
            ),
            positions=tuple(one for one in self.positions if one.symbol == symbol),
            trade_ids=frozenset(trade_id for (of, trade_id) in self.fills if of == symbol),
        )

    def _symbol(self, symbol: str, now: datetime) -> SymbolState:
        orders = [one for one in self.orders.values() if one.symbol == symbol]
        held = any(one.symbol == symbol for one in self.positions)
        cooldown = self.cooldowns.get(symbol)
        return SymbolState(
            locked_by=self.locks.get(symbol),
            occupied=held or any(one.status in LIVE for one in orders),
            unknown=any(one.status is OrderStatus.UNKNOWN for one in orders),
            cooldown_until=cooldown if cooldown and cooldown > now else None,
            consumed=frozenset(key for key, (plan, _) in self.plans.items() if plan.symbol == symbol),
            leverage=self._leverage(symbol),
        )

    def _leverage(self, symbol: str) -> int | None:
        taken = {one.decision_key for one in self.orders.values() if one.exchange_order_id}
        of_symbol = [plan for key, (plan, _) in self.plans.items() if key in taken and plan.symbol == symbol]
        return of_symbol[-1].leverage if of_symbol else None

    def _store(self, event: events.Event) -> None:
        match event:
            case events.OrderEvent():
                row = self.orders.get(event.order.client_order_id)
                self.orders[event.order.client_order_id] = merged(row, event.order) if row else event.order
            case events.FillSeen():
                self.fills.setdefault((event.symbol, event.fill.trade_id), event.fill)
            case events.PositionEvent():
                self._position(event)
            case events.SymbolReleased():
                self._release(event)
            case events.PlanRefused():
                self._overtaken(event)
            case events.CooldownSet():
                self.cooldowns[event.symbol] = event.until

    def _position(self, event: events.PositionEvent) -> None:
        now = event.position
        self.positions = [one for one in self.positions if (one.symbol, one.side) != (now.symbol, now.side)]
        if not isinstance(event, events.PositionClosed):
            self.positions.append(now)
            return
        profile = now.decision_key.partition("|")[0]
        fills = [one for one in self.fills.values() if (one.symbol, one.side) == (now.symbol, now.side)]
        lost = sum((one.fee - one.realised for one in fills), Decimal(0))
        self.lost[profile] = self.lost.get(profile, Decimal(0)) + lost

    def _release(self, event: events.SymbolReleased) -> None:
        if self.locks.get(event.symbol) == event.decision_key:
            del self.locks[event.symbol]

    def _overtaken(self, event: events.PlanRefused) -> None:
        plan, status = self.plans.get(event.decision_key, (None, None))
        if plan is not None and status is OrderStatus.APPROVED:
            self.plans[event.decision_key] = (plan, OrderStatus.EXPIRED)
            del self.locks[plan.symbol]


def _exposure(plan: OrderPlan) -> Exposure:
    return Exposure(
        plan.decision_key, plan.profile, plan.symbol, plan.side, plan.sizing.notional, plan.sizing.risk
    )
