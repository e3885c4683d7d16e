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
from apps.live.ledger import switched_off
from apps.live.models import MtfRun
from apps.orders import store as orders
from apps.profiles import store as profiles

Clock = Callable[[], datetime]


class UnknownProfile(TradingError):
    """The version that decided is not remembered here: it cannot be traded by."""


@dataclass(frozen=True)
class Entry:
    """One verdict with everything its entry needs."""

    verdict: Verdict
    profile: Profile
    ledger: Ledger
    history: CandleHistory
    reads: Broker
    sends: Broker
    off: Callable[[], dict[str, str] | None]
    clock: Clock


def live(run: MtfRun, verdict: Verdict, clock: Clock) -> Entry:
    ledger = account_ledger(run.run_id, verdict)
    return _entry(verdict, run.digest, ledger, venue.current().broker, switched_off, clock)


def dry(run: MtfRun, verdict: Verdict, clock: Clock) -> Entry:
    """Sends nothing and writes no books; forced, it goes as if no switch were off."""
    force = bool(run.options.get("force_run"))
    ledger = DryLedger(account_ledger(run.run_id, verdict), force)
    off = dict if force else switched_off
    return _entry(verdict, run.digest, ledger, venue.dry().broker, off, clock)


def of_approved(approved: orders.ApprovedPlan, verdict: Verdict, clock: Clock) -> Entry:
    ledger = account_ledger(approved.run_id, verdict)
    return _entry(verdict, approved.plan.digest, ledger, venue.current().broker, switched_off, clock)


def _entry(
    verdict: Verdict,
    digest: str,
    ledger: Ledger,
    sends: Broker,
    off: Callable[[], dict[str, str] | None],
    clock: Clock,
) -> Entry:
    profile = profiles.find_version(digest)
    if profile is None:
        raise UnknownProfile(f"{verdict.symbol}: no profile of digest {digest[:12]} was ever remembered")
    return Entry(
        verdict, profile, ledger, venue.current().prompt_history, venue.current().broker, sends, off, clock
    )
