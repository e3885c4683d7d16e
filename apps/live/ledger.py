"""The books of one account in the rooms: what trading reads before it decides, and what it leaves behind."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, transaction

from apps.audit import trade_events
from apps.db.bookkeeping import bookkeeping, write_rows
from apps.engine.enter import guards
from apps.engine.events import CloseFailing, CooldownSet, Event, FillSeen
from apps.engine.follow.fallback import waiting_rest
from apps.engine.ports.account import Claimed
from apps.engine.values.account import AccountLimits, AccountState
from apps.engine.values.book import RestPlan
from apps.engine.values.plan import OrderPlan
from apps.engine.values.reason import Refusal
from apps.live.watch_state import AccountHealth
from apps.market import store as market
from apps.orders import store as orders
from apps.switches import store as switches

log = structlog.get_logger("positions")
ACTOR = "watch"
MAX_UNWRITTEN = 1000
"""So many events are kept to be written again; each stands in the log."""


@dataclass(frozen=True)
class AccountLedger:
    """The engine's RestLedger over the rooms, for one account. Safe to share between threads.

    `health` is asked with each state; `review`: every plan waits for a person, whatever its profile says.
    `run_id` and `context` (the verdict) go with what is claimed and recorded; `unwritten`: events whose audit
    rows wait for `retry_unwritten`.
    """

    account: str
    health: Callable[[datetime], AccountHealth]
    run_id: UUID | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    limits: AccountLimits = field(default_factory=AccountLimits)
    review: bool = False
    unwritten: deque[Event] = field(
        default_factory=lambda: deque(maxlen=MAX_UNWRITTEN), compare=False, repr=False
    )

    def state(self, symbols: Sequence[str], now: datetime) -> AccountState:
        """Return what the books say now; what has no plan is valued by its contract in the market room."""
        health = self.health(now)
        stored = orders.account_exposure(self.account, symbols, now, _contract_sizes)
        risk = orders.account_risk(self.account, symbols, now)
        unhealthy = [health.unhealthy] if health.unhealthy else []
        if stored.unsized:
            unhealthy.append(
                f"{', '.join(stored.unsized)}: traded without a plan, and no such contract is stored"
                " (manage.py sync_contracts): what it is worth is unknown"
            )
        cooldowns = switches.cooldown_ends(self.account, list(stored.symbols), now)
        return AccountState(
            off=off_switches(),
            reconciled=health.reconciled,
            unhealthy="; ".join(unhealthy),
            symbols={
                symbol: replace(
                    state,
                    cooldown_until=cooldowns.get(symbol),
                    unknown=state.unknown or symbol in health.unknown,
                    stop_streak=risk.symbol_streaks.get(symbol, ()),
                )
                for symbol, state in stored.symbols.items()
            },
            exposures=stored.exposures,
            lost_today=stored.lost_today,
            peak_equity=risk.peak_equity,
            stop_streak=risk.account_streak,
            limits=self.limits,
        )

    def claim(self, plan: OrderPlan, now: datetime) -> Claimed | Refusal:
        if self.run_id is None:
            raise ValueError(f"claim {plan.decision_key}: a plan belongs to a run, and this ledger to none")
        with orders.account_lock(self.account):
            state = self.state([plan.symbol], now)
            # who was approved was planned before: its decision is used up
            approved = plan.decision_key in state.symbol(plan.symbol).consumed and orders.is_approved(
                self.account, plan.decision_key
            )
            if approved:
                state = state.without(plan.decision_key)
            stored = guards.claim_refusal(plan, state, now) or orders.claim(
                plan,
                account=self.account,
                run_id=self.run_id,
                context=self.context,
                review=self.review or plan.review,
                approved=approved,
                now=now,
            )
        if isinstance(stored, Refusal):
            return stored
        return Claimed(plan.decision_key, stored, state.symbol(plan.symbol).leverage)

    def claim_rest(self, rest: RestPlan, now: datetime) -> Claimed | Refusal:
        symbol = rest.plan.symbol
        with orders.account_lock(self.account):
            orders.lock_for_update(self.account, symbol)
            state = self.state([symbol], now)
            waiting = waiting_rest(orders.book(self.account, symbol, now), now)
            stored = guards.rest_refusal(rest, waiting, state, now) or orders.claim_rest(
                rest, account=self.account, now=now
            )
        if isinstance(stored, Refusal):
            return stored
        return Claimed(rest.plan.decision_key, stored, state.symbol(symbol).leverage)

    @transaction.atomic
    def record(self, events: Sequence[Event]) -> None:
        """Store all that protection needs or nothing; a fill and the audit rows only if they can be written.

        A close that keeps failing switches GLOBAL off: nothing may be opened until a person has looked.
        """
        written: list[Event] = []
        for are_fills, group in groupby(events, lambda event: isinstance(event, FillSeen)):
            if are_fills:
                seen = [event for event in group if isinstance(event, FillSeen)]
                stored = orders.save_fills(self.account, [event.fill for event in seen])
                written += [event for event in seen if event.fill in stored]
                continue
            for event in group:
                orders.record_event(self.account, event)
                self._stop_opening(event)
                written.append(event)
        if left := self._append_to_audit(written):
            transaction.on_commit(lambda: self.unwritten.extend(left))

    def _stop_opening(self, event: Event) -> None:
        """Begin the pause of a symbol, or switch GLOBAL off, where `event` says so."""
        if isinstance(event, CooldownSet):
            switches.start_cooldown(
                self.account,
                event.symbol,
                decision_key=event.decision_key,
                reason=event.because,
                now=event.at,
                until=event.until,
            )
        if isinstance(event, CloseFailing):
            with bookkeeping("switch_global_off", symbol=event.symbol, because=event.detail):
                if switches.GLOBAL not in switches.off_switches():
                    closes = event.position.closes_asked
                    reason = f"{event.symbol}: closing {closes} times did not make it flat"
                    switches.set_switch(switches.GLOBAL, is_on=False, reason=reason, actor=ACTOR)

    def retry_unwritten(self) -> None:
        """Write the audit rows that could not be written when their events were recorded."""
        waiting = [self.unwritten.popleft() for _ in range(len(self.unwritten))]
        self.unwritten.extend(self._append_to_audit(waiting))

    def _append_to_audit(self, events: Sequence[Event]) -> list[Event]:
        """Write them together or, when that fails, one by one; return those that could not be."""
        left, _ = write_rows(
            "trade_event",
            events,
            lambda some: trade_events.save_events(self.account, some, self.run_id),
            shown=lambda event: {"event": event},
        )
        return left


def off_switches() -> dict[str, str] | None:
    """Return the switches that are off; None when they cannot be read, which refuses every entry."""
    try:
        with transaction.atomic():
            return switches.off_switches()
    except DatabaseError as fault:
        log.error("switches_unreadable", error=str(fault))
        return None


def _contract_sizes(symbols: Sequence[str]) -> dict[str, Decimal]:
    """Return coins a contract, of those that are stored."""
    wanted = set(symbols)
    return {
        contract.symbol: contract.contract_size
        for contract in market.contracts()
        if contract.symbol in wanted
    }
