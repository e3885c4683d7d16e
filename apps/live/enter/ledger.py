"""The books an entry asks and writes: the account's rooms, or for a dry run a sheet that is thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from django.conf import settings

from apps.engine.enter import guards
from apps.engine.evaluate.verdict import Verdict
from apps.engine.events import Event
from apps.engine.ports import Claimed, Ledger
from apps.engine.values.account import AccountState
from apps.engine.values.order import OrderStatus
from apps.engine.values.plan import OrderPlan
from apps.engine.values.reason import Refusal
from apps.exchange import venue
from apps.live import watch_state
from apps.live.ledger import AccountLedger
from apps.orders.store import account_limits


def account_ledger(run_id: UUID, verdict: Verdict) -> AccountLedger:
    """The books of the account we trade, for one verdict of one run."""
    account = venue.account()
    return AccountLedger(
        account,
        partial(watch_state.account_health, account),
        run_id=run_id,
        context={"verdict": verdict.to_json()},
        limits=account_limits(),
        review=settings.REVIEW == "manual",
    )


@dataclass
class DryLedger:
    """Reads the account's books and writes none; what would have been recorded is in `events`.

    `force`: as if no switch were off.
    """

    books: Ledger
    force: bool = False
    events: list[Event] = field(default_factory=list)

    def state(self, symbols: Sequence[str], now: datetime) -> AccountState:
        state = self.books.state(symbols, now)
        return replace(state, off={}) if self.force else state

    def claim(self, plan: OrderPlan, now: datetime) -> Claimed | Refusal:
        state = self.state([plan.symbol], now)
        leverage = state.symbol(plan.symbol).leverage
        return guards.claim_refusal(plan, state, now) or Claimed(
            plan.decision_key, OrderStatus.SUBMITTING, leverage
        )

    def record(self, events: Sequence[Event]) -> None:
        self.events += events
