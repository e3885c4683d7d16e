"""The books of one account in the rooms: what trading reads before it decides, and what it leaves behind."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, transaction

from apps.audit import trade_events
from apps.db.bookkeeping import bookkeeping
from apps.engine.enter import guards
from apps.engine.events import CloseFailing, CooldownSet, Event, FillSeen
from apps.engine.ports import Claimed
from apps.engine.values.account import AccountLimits, AccountState, SymbolState
from apps.engine.values.plan import OrderPlan
from apps.engine.values.reason import Refusal
from apps.live.watch_state import AccountHealth
from apps.market import store as market
from apps.orders import store as orders
from apps.switches import store as switches

log = structlog.get_logger("positions")
ACTOR = "watch"
LONGEST_S = 1.0
"""Audit rows that are written one by one take no longer at a time."""
UNWRITTEN = 1000
"""So many are kept to be written again; each was told in the log."""


@dataclass(frozen=True)
class AccountLedger:
    """The engine's Ledger over the rooms, for one account. Safe to share between threads.

    `health` is asked with each state; `review`: every plan waits for a person, whatever its profile says.
    `run_id` and `context` (the verdict) go with what is claimed and recorded; `unwritten`: events whose audit
    rows wait for `write_again`.
    """

    account: str
    health: Callable[[datetime], AccountHealth]
    run_id: UUID | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    limits: AccountLimits = field(default_factory=AccountLimits)
    review: bool = False
    unwritten: deque[Event] = field(
        default_factory=lambda: deque(maxlen=UNWRITTEN), compare=False, repr=False
    )

    def state(self, symbols: Sequence[str], now: datetime) -> AccountState:
        health = self.health(now)
        stored = orders.account_exposure(self.account, symbols, now, _contract_sizes)
        unhealthy = [health.unhealthy] if health.unhealthy else []
        if stored.unsized:
            unhealthy.append(
                f"{', '.join(stored.unsized)}: traded without a plan, and no such contract is stored"
                " (manage.py sync_contracts): what it is worth is unknown"
            )
        return AccountState(
            off=off_switches(),
            reconciled=health.reconciled,
            unhealthy="; ".join(unhealthy),
            symbols=self._cooled(stored.symbols, now),
            exposures=stored.exposures,
            lost_today=stored.lost_today,
            limits=self.limits,
        )

    def claim(self, plan: OrderPlan, now: datetime) -> Claimed | Refusal:
        if self.run_id is None:
            raise ValueError(f"claim {plan.decision_key}: a plan belongs to a run, and this ledger to none")
        with orders.account_lock(self.account):
            state = self.state([plan.symbol], now)
            approved = orders.is_approved(self.account, plan.decision_key)
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

    @transaction.atomic
    def record(self, events: Sequence[Event]) -> None:
        """All that protection needs or nothing; a fill and the audit rows only if they can be written."""
        written, busy = [], False
        for event in events:
            if busy and isinstance(event, FillSeen):
                continue
            attempt = orders.record_event(self.account, event)
            busy = busy or attempt.busy
            if isinstance(event, CooldownSet):
                self._cool_down(event)
            if isinstance(event, CloseFailing):
                with bookkeeping("switch_global_off", symbol=event.symbol, because=event.detail):
                    _stop_everything(event)
            if attempt.fault is None:
                written.append(event)
        if left := self._audited(written):
            transaction.on_commit(lambda: self.unwritten.extend(left))

    def retry_unwritten(self) -> None:
        """The audit rows that could not be written when their events were recorded."""
        waiting = [self.unwritten.popleft() for _ in range(len(self.unwritten))]
        self.unwritten.extend(self._audited(waiting))

    def _audited(self, events: Sequence[Event]) -> list[Event]:
        """Append them to the audit, together or, when that fails, one by one; those that could not be."""
        with bookkeeping("trade_events", events=len(events)) as attempt:
            trade_events.save_events(self.account, events, self.run_id)
        if attempt.fault is None:
            return []
        left: list[Event] = []
        ends_at = time.monotonic() + LONGEST_S
        for n, event in enumerate(events):
            if attempt.busy or time.monotonic() > ends_at:
                return left + list(events[n:])
            with bookkeeping("trade_event", event=event) as attempt:
                trade_events.save_events(self.account, [event], self.run_id)
            if attempt.fault is not None:
                left.append(event)
        return left

    def _cooled(self, states: Mapping[str, SymbolState], now: datetime) -> dict[str, SymbolState]:
        cooling = switches.cooldown_ends(self.account, list(states), now)
        return {name: replace(state, cooldown_until=cooling.get(name)) for name, state in states.items()}

    def _cool_down(self, event: CooldownSet) -> None:
        switches.start_cooldown(
            self.account,
            event.symbol,
            decision_key=event.decision_key,
            reason=event.because,
            now=event.at,
            until=event.until,
        )


def off_switches() -> dict[str, str] | None:
    """The switches that are off; None when they cannot be read, which refuses every entry."""
    try:
        with transaction.atomic():
            return switches.off_switches()
    except DatabaseError as fault:
        log.error("switches_unreadable", error=str(fault))
        return None


def _contract_sizes(symbols: Sequence[str]) -> dict[str, Decimal]:
    """Coins a contract, of those that are stored."""
    wanted = set(symbols)
    return {one.symbol: one.contract_size for one in market.contracts() if one.symbol in wanted}


def _stop_everything(event: CloseFailing) -> None:
    """Positions cannot be closed: nothing may be opened until a person has looked."""
    if switches.GLOBAL not in switches.off_switches():
        reason = f"{event.symbol}: closing {event.position.closes_asked} times did not make it flat"
        switches.set_switch(switches.GLOBAL, is_on=False, reason=reason, actor=ACTOR)
