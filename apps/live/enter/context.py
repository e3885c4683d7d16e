"""What one entry works with: its verdict and profile, the books it asks and writes, the doors it uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from apps.engine.evaluate.verdict import Verdict
from apps.engine.ports import Broker, CandleHistory, Ledger
from apps.engine.profile import Profile
from apps.engine.values.errors import TradingError
from apps.exchange import venue
from apps.live.enter.ledger import DryLedger, account_ledger
from apps.live.ledger import off_switches
from apps.live.models import MtfRun
from apps.orders import store as orders
from apps.profiles import store as profiles

Clock = Callable[[], datetime]


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
    ledger = account_ledger(run.run_id, verdict)
    return _entry(verdict, run.digest, ledger, venue.current().broker, off_switches, clock)


def dry_context(run: MtfRun, verdict: Verdict, clock: Clock) -> EntryContext:
    """Sends nothing and writes no books; forced, it goes as if no switch were off."""
    force = bool(run.options.get("force_run"))
    ledger = DryLedger(account_ledger(run.run_id, verdict), force)
    off = dict if force else off_switches
    return _entry(verdict, run.digest, ledger, venue.dry().broker, off, clock)


def approved_context(approved: orders.ApprovedPlan, verdict: Verdict, clock: Clock) -> EntryContext:
    ledger = account_ledger(approved.run_id, verdict)
    return _entry(verdict, approved.plan.digest, ledger, venue.current().broker, off_switches, clock)


def _entry(
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
