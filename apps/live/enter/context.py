"""What one entry works with: its verdict and profile, the books it asks and writes, the doors it uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from django.conf import settings

from apps.engine.enter import guards
from apps.engine.evaluate.verdict import Verdict
from apps.engine.events import Event
from apps.engine.ports.account import Broker, Claimed, Ledger
from apps.engine.ports.clock import Clock
from apps.engine.ports.market import CandleHistory
from apps.engine.profile import Profile
from apps.engine.values.account import AccountState
from apps.engine.values.errors import TradingError
from apps.engine.values.order import OrderStatus
from apps.engine.values.plan import OrderPlan
from apps.engine.values.reason import Refusal
from apps.exchange import venue
from apps.live import watch_state
from apps.live.ledger import AccountLedger, off_switches
from apps.live.models import MtfRun
from apps.orders import store as orders
from apps.orders.store import account_limits
from apps.profiles import store as profiles


class UnknownProfile(TradingError):
    """The version that decided is not remembered here: it cannot be traded by."""


@dataclass(frozen=True)
class EntryContext:
    """One verdict with everything its entry needs."""

    verdict: Verdict
    profile: Profile
    ledger: Ledger
    history: CandleHistory
    reads: Broker
    sends: Broker
    off: Callable[[], dict[str, str] | None]
    clock: Clock


def live_context(run: MtfRun, verdict: Verdict, clock: Clock) -> EntryContext:
    """Return what sends orders and writes the books."""
    ledger = account_ledger(run.run_id, verdict)
    return _context(verdict, run.digest, ledger, venue.current().broker, off_switches, clock)


def dry_context(run: MtfRun, verdict: Verdict, clock: Clock) -> EntryContext:
    """Return what sends nothing and writes no books; forced, it goes as if no switch were off."""
    force = bool(run.options.get("force_run"))
    ledger = DryLedger(account_ledger(run.run_id, verdict), force)
    off = dict if force else off_switches
    return _context(verdict, run.digest, ledger, venue.dry().broker, off, clock)


def approved_context(approved: orders.ApprovedPlan, verdict: Verdict, clock: Clock) -> EntryContext:
    """Return the live context of a plan that a person approved."""
    ledger = account_ledger(approved.run_id, verdict)
    return _context(verdict, approved.plan.digest, ledger, venue.current().broker, off_switches, clock)


def _context(
    verdict: Verdict,
    digest: str,
    ledger: Ledger,
    sends: Broker,
    off: Callable[[], dict[str, str] | None],
    clock: Clock,
) -> EntryContext:
    profile = profiles.find_version(digest)
    if profile is None:
        raise UnknownProfile(f"{verdict.symbol}: no profile of digest {digest[:12]} was ever remembered")
    return EntryContext(
        verdict, profile, ledger, venue.current().prompt_history, venue.current().broker, sends, off, clock
    )


def account_ledger(run_id: UUID, verdict: Verdict | None = None) -> AccountLedger:
    """Return the books of the account we trade, for one run and the verdict that is entered."""
    account = venue.account()
    return AccountLedger(
        account,
        partial(watch_state.account_health, account),
        run_id=run_id,
        context={} if verdict is None else {"verdict": verdict.to_json()},
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
