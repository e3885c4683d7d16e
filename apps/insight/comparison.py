"""A verdict recomputed now against the row that stood when its minute's run ended."""

from __future__ import annotations

from dataclasses import dataclass

from apps.audit.models import MtfAudit
from apps.audit.store import NOT_WATCHED
from apps.engine.evaluate.verdict import Verdict
from apps.live.models import MtfRun, RunStatus


@dataclass(frozen=True, slots=True)
class Comparison:
    """`differences` lists what is not equal, None when there is nothing to compare; `sentence` says it all.

    `judged` is whether the minute's run judged the symbol; None when no run decided the minute.
    """

    differences: tuple[str, ...] | None
    sentence: str
    judged: bool | None = None

    @property
    def equal(self) -> bool | None:
        return None if self.differences is None else not self.differences


def compared(verdict: Verdict, run: MtfRun | None, stored: MtfAudit | None) -> Comparison:
    """Compare with `stored`, the row that stood at the end of `run`."""
    if run is None:
        return Comparison(None, "no run judged this minute: there is nothing stored to compare with")
    if run.status != RunStatus.DECIDED:
        return Comparison(None, f"the run of this minute is {run.status}: it stored nothing to compare with")
    if (why := not_judged(run, stored)) is not None:
        return Comparison(None, f"this run did not judge {verdict.symbol}: {why}", judged=False)
    assert stored is not None
    since = f"stored {stored.created_at:%Y-%m-%d %H:%M:%S} UTC as {stored.cause}"
    if stored.details.get("refusal"):
        return Comparison(
            None, f"{since}: a switch stood before the verdict, which was not compared", judged=True
        )
    differences = _differences(Verdict.from_json(stored.details["verdict"]), verdict)
    if not differences:
        return Comparison((), f"equal to what was {since}", judged=True)
    return Comparison(differences, f"differs from what was {since}: {'; '.join(differences)}", judged=True)


def not_judged(run: MtfRun, stored: MtfAudit | None) -> str | None:
    """Why the run cannot have judged the symbol; None when it did.

    Whoever judges a symbol leaves a row under its digest, which stands until another replaces it.
    """
    if stored is None:
        return (
            "the audit holds no row of it for this profile by then (or that row was older than rows are kept)"
        )
    if stored.cause == NOT_WATCHED:
        return f"it is not watched since {stored.created_at:%Y-%m-%d %H:%M} UTC"
    if stored.digest != run.digest:
        return (
            f"its newest row, of {stored.created_at:%Y-%m-%d %H:%M} UTC, is by version "
            f"{stored.digest[:12]} of the profile, and the run by {run.digest[:12]}"
        )
    return None


def _differences(then: Verdict, now: Verdict) -> tuple[str, ...]:
    pairs = [
        ("outcome", then.status, now.status),
        ("side", then.side, now.side),
        ("execution timeframe", then.execution_timeframe, now.execution_timeframe),
        ("reason", then.reason, now.reason),
    ]
    return tuple(f"{name} was {before}, is {after}" for name, before, after in pairs if before != after)
