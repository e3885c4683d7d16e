"""The Ledger port in memory: the plainest books that keep the contract."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from apps.backtest.symbol_books import SymbolBooks
from apps.engine import events
from apps.engine.enter import guards
from apps.engine.ports import Claimed
from apps.engine.values.account import AccountLimits, AccountState, Exposure
from apps.engine.values.book import SymbolBook
from apps.engine.values.order import OrderStatus
from apps.engine.values.plan import OrderPlan
from apps.engine.values.position import Transaction, TransactionKind
from apps.engine.values.reason import Refusal

CONSUMED_FOR = timedelta(days=2)
"""How long used-up decisions are told: an older candle decides nothing any more."""

GLOBAL = "GLOBAL"
REFUSALS = (events.PlanRefused, events.ZoneSkipped)


@dataclass
class MemoryLedger:
    """One account's books. `off` is what switches say; `review` makes every plan wait for a person.

    `plans`: every plan that was claimed, by decision. `happened`: every event, in order; without refusals
    unless `keeps_refusals`, for over a long past there are millions of them.
    """

    off: dict[str, str] = field(default_factory=dict)
    reconciled: bool = True
    review: bool = False
    keeps_refusals: bool = True
    limits: AccountLimits = field(default_factory=AccountLimits)
    plans: dict[str, tuple[OrderPlan, OrderStatus]] = field(default_factory=dict)
    locks: dict[str, str] = field(default_factory=dict)
    cooldowns: dict[str, datetime] = field(default_factory=dict)
    happened: list[events.Event] = field(default_factory=list)
    _lost: dict[tuple[date, str], Decimal] = field(default_factory=dict)
    _books: dict[str, SymbolBooks] = field(default_factory=dict)
    _alone: threading.Lock = field(default_factory=threading.Lock)

    def state(self, symbols: Sequence[str], now: datetime) -> AccountState:
        return AccountState(
            off=dict(self.off),
            reconciled=self.reconciled,
            symbols={
                symbol: self._of(symbol).state(
                    self.locks.get(symbol), self.cooldowns.get(symbol), now, now - CONSUMED_FOR
                )
                for symbol in symbols
            },
            exposures=tuple(_exposure(self.plans[key][0]) for key in self.locks.values()),
            lost_today={profile: lost for (day, profile), lost in self._lost.items() if day == now.date()},
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
            self._of(plan.symbol).claimed(plan, now, may_leave=not waits)
            return Claimed(plan.decision_key, status, state.symbol(plan.symbol).leverage)

    def record(self, events_: Sequence[events.Event]) -> None:
        for event in events_:
            self._store(event)
            if self.keeps_refusals or not isinstance(event, REFUSALS):
                self.happened.append(event)

    def take_over(self, transactions: Sequence[Transaction]) -> None:
        """Funding counts in the result of the position that paid it."""
        for one in transactions:
            if one.kind is TransactionKind.FUNDING:
                self._of(one.symbol).paid(one)

    def approve(self, decision_key: str) -> None:
        self.plans[decision_key] = (self.plans[decision_key][0], OrderStatus.APPROVED)

    def book(self, symbol: str, now: datetime) -> SymbolBook:
        """As the watching compares it; what is over is forgotten a day later."""
        return self._of(symbol).book(self.locks.get(symbol), now)

    def _of(self, symbol: str) -> SymbolBooks:
        if symbol not in self._books:
            self._books[symbol] = SymbolBooks(symbol)
        return self._books[symbol]

    def _store(self, event: events.Event) -> None:
        match event:
            case events.OrderEvent():
                self._of(event.symbol).ordered(event.order, event.at)
            case events.FillSeen():
                self._of(event.symbol).filled(event.fill)
            case events.PositionClosed():
                profile = event.position.decision_key.partition("|")[0]
                lost = -self._of(event.symbol).closed(event.position)
                day = (event.at.date(), profile)
                self._lost[day] = self._lost.get(day, Decimal(0)) + lost
            case events.CloseFailing():
                self._of(event.symbol).held(event.position)
                self.off.setdefault(GLOBAL, f"{event.symbol} could not be closed")
            case events.PositionEvent():
                self._of(event.symbol).held(event.position)
            case events.SymbolReleased():
                if self.locks.get(event.symbol) == event.decision_key:
                    del self.locks[event.symbol]
            case events.PlanRefused():
                self._overtaken(event)
            case events.CooldownSet():
                self.cooldowns[event.symbol] = event.until

    def _overtaken(self, event: events.PlanRefused) -> None:
        """An approved plan that no longer holds frees its symbol."""
        plan, status = self.plans.get(event.decision_key, (None, None))
        if plan is not None and status is OrderStatus.APPROVED:
            self.plans[event.decision_key] = (plan, OrderStatus.EXPIRED)
            del self.locks[plan.symbol]


def _exposure(plan: OrderPlan) -> Exposure:
    return Exposure(
        plan.decision_key, plan.profile, plan.symbol, plan.side, plan.sizing.notional, plan.sizing.risk
    )
