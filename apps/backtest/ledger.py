"""The RestLedger port in memory: what the contract asks of one, and nothing more."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import takewhile

from apps.backtest.risk import AccountRisk
from apps.engine import events
from apps.engine.enter import guards
from apps.engine.follow.fallback import waiting_rest
from apps.engine.follow.orders import LIVE, merged_order
from apps.engine.ports.account import Claimed
from apps.engine.values.account import AccountLimits, AccountState, Exposure, SymbolState
from apps.engine.values.book import RestPlan, SymbolBook, TrackedOrder, TrackedPosition
from apps.engine.values.order import Fill, OrderStatus
from apps.engine.values.plan import OrderPlan
from apps.engine.values.position import Side, Transaction, TransactionKind
from apps.engine.values.reason import Refusal

CONSUMED_FOR = timedelta(days=2)
"""How long used-up decisions are told: an older candle decides nothing any more."""

GLOBAL = "GLOBAL"
REFUSALS = (events.PlanRefused, events.ZoneSkipped)


ORDER_KEPT_FOR = timedelta(days=1)
"""How long an order that ended stays in the book: a late fill, or a list that was wrong, brings it back."""


@dataclass
class MemoryLedger:
    """One account's books. `off` is what switches say; `review` makes every plan wait for a person.

    `plans`: every plan that was claimed, by decision. `recorded`: every event, in order; without refusals
    unless `keeps_refusals`, for over a long past there are millions of them. `risk` wants a point whenever
    equity is looked at.
    """

    off: dict[str, str] = field(default_factory=dict)
    reconciled: bool = True
    review: bool = False
    keeps_refusals: bool = True
    limits: AccountLimits = field(default_factory=AccountLimits)
    plans: dict[str, tuple[OrderPlan, OrderStatus]] = field(default_factory=dict)
    locks: dict[str, str] = field(default_factory=dict)
    cooldowns: dict[str, datetime] = field(default_factory=dict)
    recorded: list[events.Event] = field(default_factory=list)
    risk: AccountRisk = field(default_factory=AccountRisk)
    _lost: dict[tuple[date, str], Decimal] = field(default_factory=dict)
    _symbols: dict[str, SymbolLedger] = field(default_factory=dict)
    _alone: threading.Lock = field(default_factory=threading.Lock)

    def state(self, symbols: Sequence[str], now: datetime) -> AccountState:
        streaks = self.risk.symbol_streaks(symbols, now)
        return AccountState(
            off=dict(self.off),
            reconciled=self.reconciled,
            symbols={
                symbol: self._symbol(symbol).state(
                    locked_by=self.locks.get(symbol),
                    cooldown_until=self.cooldowns.get(symbol),
                    stop_streak=streaks.get(symbol, ()),
                    now=now,
                    since=now - CONSUMED_FOR,
                )
                for symbol in symbols
            },
            exposures=tuple(
                Exposure(
                    decision_key=plan.decision_key,
                    profile=plan.profile,
                    symbol=plan.symbol,
                    side=plan.side,
                    notional=plan.sizing.notional,
                    risk=plan.sizing.risk,
                )
                for plan in (self.plans[key][0] for key in self.locks.values())
            ),
            lost_today={profile: lost for (day, profile), lost in self._lost.items() if day == now.date()},
            peak_equity=self.risk.peak_equity(now),
            stop_streak=self.risk.account_streak(),
            limits=self.limits,
        )

    def claim(self, plan: OrderPlan, now: datetime) -> Claimed | Refusal:
        with self._alone:
            state = self.state([plan.symbol], now)
            approved = self.plans.get(plan.decision_key, (plan, None))[1] is OrderStatus.APPROVED
            if approved:
                state = state.without(plan.decision_key)
            refusal = guards.claim_refusal(plan, state, now)
            if refusal is not None:
                return refusal
            waits = (self.review or plan.review) and not approved
            status = OrderStatus.PENDING_REVIEW if waits else OrderStatus.SUBMITTING
            self.plans[plan.decision_key] = (plan, status)
            self.locks[plan.symbol] = plan.decision_key
            self._symbol(plan.symbol).save_plan(plan, now, may_leave=not waits)
            return Claimed(plan.decision_key, status, state.symbol(plan.symbol).leverage)

    def claim_rest(self, rest: RestPlan, now: datetime) -> Claimed | Refusal:
        with self._alone:
            symbol, key = rest.plan.symbol, rest.plan.decision_key
            state = self.state([symbol], now)
            waiting = waiting_rest(self.book(symbol, now), now)
            refusal = guards.rest_refusal(rest, waiting, state, now)
            if refusal is not None:
                return refusal
            plan, status = self.plans[key]
            self.plans[key] = (replace(plan, sizing=plan.sizing.raised_to(rest.total)), status)
            order = TrackedOrder.of(rest.plan, rest.order.attempt + 1)
            self._symbol(symbol).save_order(order, now, read_back=True)
            return Claimed(key, OrderStatus.SUBMITTING, state.symbol(symbol).leverage)

    def record(self, events_: Sequence[events.Event]) -> None:
        for event in events_:
            match event:
                case events.OrderEvent():
                    read_back = not isinstance(event, events.OrderAcknowledged)
                    order = self._symbol(event.symbol).save_order(event.order, event.at, read_back=read_back)
                    if order.status in LIVE:
                        self._hold_lock(event.symbol, order.decision_key)
                case events.FillSeen():
                    self._symbol(event.symbol).add_fill(event.fill)
                case events.PositionClosed():
                    profile = event.position.decision_key.partition("|")[0]
                    earned = self._symbol(event.symbol).close_position(event.position)
                    day = (event.at.date(), profile)
                    self._lost[day] = self._lost.get(day, Decimal(0)) - earned
                    self.risk.add_result(event.symbol, earned, event.at)
                case events.CloseFailing():
                    self._symbol(event.symbol).save_position(event.position)
                    self.off.setdefault(GLOBAL, f"{event.symbol} could not be closed")
                case events.PositionEvent():
                    self._symbol(event.symbol).save_position(event.position)
                    self._hold_lock(event.symbol, event.position.decision_key)
                case events.SymbolReleased():
                    if self.locks.get(event.symbol) == event.decision_key:
                        del self.locks[event.symbol]
                case events.PlanRefused(approved=True):
                    plan, status = self.plans.get(event.decision_key, (None, None))
                    if plan is not None and status is OrderStatus.APPROVED:
                        self.plans[event.decision_key] = (plan, OrderStatus.EXPIRED)
                        del self.locks[plan.symbol]
                case events.CooldownSet():
                    self.cooldowns[event.symbol] = event.until
            if self.keeps_refusals or not isinstance(event, REFUSALS):
                self.recorded.append(event)

    def save_transactions(self, transactions: Sequence[Transaction]) -> None:
        """Store funding, which counts in the result of the position that paid it, and transfers."""
        for line in transactions:
            if line.kind is TransactionKind.FUNDING:
                self._symbol(line.symbol).add_funding(line)
            elif line.kind is TransactionKind.TRANSFER:
                self.risk.add_transfer(line.transaction_id, line.amount, line.at)

    def approve(self, decision_key: str) -> None:
        self.plans[decision_key] = (self.plans[decision_key][0], OrderStatus.APPROVED)

    def book(self, symbol: str, now: datetime) -> SymbolBook:
        """Return what is followed of `symbol`; what is over is forgotten a day later."""
        return self._symbol(symbol).book(self.locks.get(symbol), now)

    def _hold_lock(self, symbol: str, decision_key: str) -> None:
        """Lock the symbol for what lives of a decision, unless another one holds it."""
        if decision_key in self.plans:
            self.locks.setdefault(symbol, decision_key)

    def _symbol(self, symbol: str) -> SymbolLedger:
        if symbol not in self._symbols:
            self._symbols[symbol] = SymbolLedger(symbol)
        return self._symbols[symbol]


@dataclass
class SymbolLedger:
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
        self,
        *,
        locked_by: str | None,
        cooldown_until: datetime | None,
        stop_streak: tuple[datetime, ...],
        now: datetime,
        since: datetime,
    ) -> SymbolState:
        """Return the symbol as an entry looks at it, without decisions used up before `since`."""
        orders = [order for order, _ in self._orders.values()]
        newest_first = reversed(self._plans.items())
        return SymbolState(
            locked_by=locked_by,
            occupied=bool(self._positions) or any(order.status in LIVE for order in orders),
            unknown=any(order.status is OrderStatus.UNKNOWN for order in orders),
            cooldown_until=cooldown_until if cooldown_until and cooldown_until > now else None,
            consumed=frozenset(
                key for key, _ in takewhile(lambda item: item[1].created_at >= since, newest_first)
            ),
            leverage=self._leverage,
            stop_streak=stop_streak,
        )

    def book(self, locked_by: str | None, now: datetime) -> SymbolBook:
        # orders whose end nothing can change any more, and fills nobody asks for again, are forgotten
        self._orders = {
            client_id: (order, at)
            for client_id, (order, at) in self._orders.items()
            if order.status in LIVE or order.decision_key == locked_by or now - at <= ORDER_KEPT_FOR
        }
        self._settled = {
            trade_id: at
            for trade_id, at in self._settled.items()
            if now - at <= ORDER_KEPT_FOR + ORDER_KEPT_FOR
        }
        return SymbolBook(
            symbol=self.symbol,
            locked_by=locked_by,
            orders=tuple(order for order, _ in self._orders.values()),
            positions=tuple(self._positions.values()),
            trade_ids=frozenset((*self._trades, *self._settled)),
        )

    def save_plan(self, plan: OrderPlan, now: datetime, *, may_leave: bool) -> None:
        self._plans[plan.decision_key] = plan
        if may_leave:
            self._leverage = None  # it may be set for this order, and the order not sent
            self._orders |= {order.client_order_id: (order, now) for order in TrackedOrder.all_of(plan)}

    def save_order(self, order: TrackedOrder, at: datetime, *, read_back: bool) -> TrackedOrder:
        """Store the order, and return its row as it is now."""
        row, _ = self._orders.get(order.client_order_id, (None, None))
        now = order if row is None else merged_order(row, order, read_back=read_back)
        self._orders[order.client_order_id] = (now, at)
        if now.exchange_order_id and now.decision_key in self._plans:
            self._leverage = self._plans[now.decision_key].leverage
        return now

    def add_fill(self, fill: Fill) -> None:
        """Store a fill; the same one twice is one."""
        if fill.trade_id not in self._settled:
            self._trades.setdefault(fill.trade_id, fill)

    def save_position(self, position: TrackedPosition) -> None:
        self._positions[position.side] = position

    def add_funding(self, funding: Transaction) -> None:
        self._funding.setdefault(funding.transaction_id, funding)

    def close_position(self, position: TrackedPosition) -> Decimal:
        """Forget the position; return what it earned: gross of its fills - fees + funding."""
        self._positions.pop(position.side, None)
        fills = [fill for fill in self._trades.values() if fill.side == position.side]
        earned = sum((fill.realised - fill.fee for fill in fills), Decimal(0))
        earned += sum((payment.amount for payment in self._funding.values()), Decimal(0))
        self._funding.clear()
        for fill in fills:
            self._settled[fill.trade_id] = fill.at
            del self._trades[fill.trade_id]
        return earned
