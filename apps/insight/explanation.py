"""Why, at any moment: the verdict recomputed from stored candles, beside what was stored then."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from apps.audit import store as audit
from apps.audit.models import MtfAudit
from apps.audit.store import NOT_WATCHED
from apps.engine.evaluate.blocker import rule_items
from apps.engine.evaluate.timeframe import TimeframeOutcome
from apps.engine.evaluate.verdict import Verdict
from apps.engine.profile import Phase, Profile, ProfileError
from apps.engine.rules.logic import TRUE
from apps.engine.values.contract import require_listed
from apps.engine.values.errors import TradingError
from apps.engine.values.position import Side
from apps.engine.values.timeframe import Timeframe
from apps.insight.replay import (
    LateCandle,
    asks_spread,
    candles_read_at,
    late_candles,
    minute_judgement,
    recorded_spread,
)
from apps.live.models import MtfRun, RunStatus, Trigger
from apps.market import store as market
from apps.profiles import files
from apps.profiles import store as profiles

UNKNOWN_SPREAD = "its selection asks for spread_bps, and what was quoted then may not be known"
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class CannotExplain(TradingError):
    """A question without an answer; `field` names what was wrong with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class MissingItems:
    """What a side of a timeframe lacks: of its `items`, mandatory filters included, those that do not hold.

    Items are the top-level ones, as they are written in the profile.
    """

    timeframe: Timeframe
    phase: Phase
    side: Side
    items: int
    missing: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A verdict recomputed now against the audit row that stood when its minute's run ended.

    `differences` lists what is not equal, None when there is nothing to compare; `sentence` says it all.
    `judged` is whether the minute's run judged the symbol; None when no run decided the minute.
    """

    differences: tuple[str, ...] | None
    sentence: str
    judged: bool | None = None


@dataclass(frozen=True)
class Explanation:
    """`verdict` is recomputed now; `stored` is what the audit held when `run`, the minute's run, ended.

    `missing` says per judged timeframe and side which of its items do not hold; `late` are the judged candles
    that the run cannot have seen as they are stored now.
    """

    verdict: Verdict
    missing: tuple[MissingItems, ...]
    run: MtfRun | None
    stored: MtfAudit | None
    comparison: Comparison
    late: tuple[LateCandle, ...]

    @property
    def equal(self) -> bool | None:
        """Whether the stored decision and the recomputed one agree; None when nothing can be compared."""
        return None if self.comparison.differences is None else not self.comparison.differences

    @property
    def sentence(self) -> str:
        """The comparison in one sentence, with the late candles that may explain a difference."""
        if not self.comparison.differences:
            return self.comparison.sentence
        return "; ".join([self.comparison.sentence, *self.late_sentences])

    @property
    def late_sentences(self) -> list[str]:
        read_at = None if self.run is None else candles_read_at(self.run)
        return [] if read_at is None else [candle.sentence(read_at) for candle in self.late]

    def to_json(self) -> dict[str, Any]:
        stored = self.stored and {
            "run_id": str(self.stored.run_id),
            "cause": self.stored.cause,
            "created_at": self.stored.created_at.isoformat(),
            "verdict": self.stored.details["verdict"],
            "refusal": self.stored.details.get("refusal"),
        }
        return {
            "verdict": self.verdict.to_json(),
            "missing": [side.to_json() for side in self.missing],
            "stored": stored,
            "run_id": None if self.run is None else str(self.run.run_id),
            "run_status": None if self.run is None else self.run.status,
            "judged": self.comparison.judged,
            "equal": self.equal,
            "differences": list(self.comparison.differences or ()),
            "late_candles": self.late_sentences,
            "comparison": self.sentence,
        }


def explain(symbol: str, at: datetime, profile_name: str) -> Explanation:
    """Judge `symbol` at the minute of `at` (aware) from stored candles, by the profile that ran then.

    Nothing but candles is read for the verdict, and the spread that the run's own row of it shows. Raises
    UnknownSymbol, and CannotExplain for an unknown profile, for one that cannot be loaded and for a moment
    that is not over.
    """
    try:
        minute = Timeframe.M1.floor(at.astimezone(UTC))
    except OverflowError:
        raise CannotExplain("at", f"{at} is out of the calendar") from None
    if minute > datetime.now(UTC):
        raise CannotExplain("at", f"{minute:%Y-%m-%d %H:%M} UTC is in the future")
    if minute < EARLIEST:
        raise CannotExplain("at", f"{minute} is before {EARLIEST:%Y}: no exchange of ours existed")
    require_listed([symbol], [contract.symbol for contract in market.contracts()])

    run = MtfRun.objects.filter(profile=profile_name, minute=minute, trigger=Trigger.BEAT).first()
    profile = profile_that_ran(profile_name, run)
    ended = None if run is None else run.finished_at
    stored = None if ended is None else audit.row_at(symbol, profile_name, ended)
    judgement = minute_judgement(symbol, minute, profile, _spread_then(run, stored))
    verdict = judgement.verdict(symbol)
    missing = tuple(side for judged in judgement.timeframes for side in _missing_items(judged))

    read_at = None if run is None else candles_read_at(run)
    judged = {(each.timeframe, each.candle_open_at) for each in verdict.timeframes}
    spans = [(timeframe, opened, opened + timeframe.duration) for timeframe, opened in judged]
    late = () if read_at is None else tuple(late_candles(symbol, read_at, spans))
    comparison = compare(verdict, run, stored)
    if comparison.differences and asks_spread(profile):
        comparison = replace(comparison, sentence=f"{comparison.sentence}; {UNKNOWN_SPREAD}")
    return Explanation(verdict, missing, run, stored, comparison, late)


def _spread_then(run: MtfRun | None, stored: MtfAudit | None) -> float | None:
    """Return what was quoted at the run, as far as its own row tells; a row of a run before does not."""
    if run is None or stored is None or stored.run_id != run.run_id or stored.details["verdict"] is None:
        return None
    return recorded_spread(Verdict.from_json(stored.details["verdict"]))


def profile_that_ran(name: str, run: MtfRun | None) -> Profile:
    """Return the very version that ran, else the file's present one. Raises CannotExplain."""
    try:
        version = None if run is None else profiles.find_version(run.digest)
        if version is not None:
            return version
        known = files.profile_names(settings.MTF_PROFILES_DIR)
        if name not in known:
            raise CannotExplain("profile", f"unknown profile {name!r}: there are {', '.join(known)}")
        return files.load_profiles(settings.MTF_PROFILES_DIR, [name])[0]
    except ProfileError as fault:
        raise CannotExplain("profile", f"{name} cannot be loaded: {'; '.join(fault.faults)}") from fault


def compare(verdict: Verdict, run: MtfRun | None, stored: MtfAudit | None) -> Comparison:
    """Return how `verdict` differs from `stored`, the row that stood at the end of its minute's `run`.

    Whoever judges a symbol leaves a row under its digest, which stands until another replaces it.
    """
    if run is None:
        return Comparison(None, "no run judged this minute: there is nothing stored to compare with")
    if run.status != RunStatus.DECIDED:
        return Comparison(None, f"the run of this minute is {run.status}: it stored nothing to compare with")
    unjudged = f"this run did not judge {verdict.symbol}"
    if stored is None:
        why = (
            "the audit holds no row of it for this profile by then (or that row was older than rows are kept)"
        )
        return Comparison(None, f"{unjudged}: {why}", judged=False)
    written = f"{stored.created_at:%Y-%m-%d %H:%M} UTC"
    if stored.cause == NOT_WATCHED:
        return Comparison(None, f"{unjudged}: it is not watched since {written}", judged=False)
    if stored.digest != run.digest:
        why = (
            f"its newest row, of {written}, is by version "
            f"{stored.digest[:12]} of the profile, and the run by {run.digest[:12]}"
        )
        return Comparison(None, f"{unjudged}: {why}", judged=False)
    row = f"stored {stored.created_at:%Y-%m-%d %H:%M:%S} UTC as {stored.cause}"
    if stored.details.get("refusal"):
        why = f"{row}: a switch stood before the verdict, which was not compared"
        return Comparison(None, why, judged=True)

    then = Verdict.from_json(stored.details["verdict"])
    pairs = [
        ("outcome", then.status, verdict.status),
        ("side", then.side, verdict.side),
        ("execution timeframe", then.execution_timeframe, verdict.execution_timeframe),
        ("reason", then.reason, verdict.reason),
    ]
    differences = tuple(f"{name} was {before}, is {now}" for name, before, now in pairs if before != now)
    if not differences:
        return Comparison((), f"equal to what was {row}", judged=True)
    return Comparison(differences, f"differs from what was {row}: {'; '.join(differences)}", judged=True)


def _missing_items(judged: TimeframeOutcome) -> list[MissingItems]:
    """Return the sides that have rules, of the one symbol judged, at its judged candle."""
    written = rule_items(judged.judged, judged.views[int(judged.grace[0])])
    sides = []
    for side in Side:
        of_side = [item for item in written if item.side == side]
        if of_side:
            missing = tuple(item.text for item in of_side if item.truth[0] != TRUE)
            sides.append(MissingItems(judged.timeframe, judged.phase, side, len(of_side), missing))
    return sides
