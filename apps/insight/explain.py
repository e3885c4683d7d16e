"""Why, at any moment: the verdict recomputed from stored candles, beside what was stored then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from apps.audit import store as audit
from apps.audit.models import MtfAudit
from apps.engine.cycle import evaluate
from apps.engine.evaluate.judgement import MinuteJudgement
from apps.engine.evaluate.verdict import Verdict
from apps.engine.profile import Profile, ProfileError
from apps.engine.values.contract import require_listed
from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import Timeframe
from apps.insight.comparison import Comparison, compared
from apps.insight.late_candles import LateCandle, newest_first, read_at, written_after
from apps.insight.missing_items import Missing, missing_of
from apps.live.models import MtfRun, Trigger
from apps.live.windows import Warm
from apps.market import store as market
from apps.profiles import files
from apps.profiles import store as profiles

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class CannotExplain(TradingError):
    """A question without an answer; `field` names what was wrong with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Explanation:
    """`verdict` is recomputed now; `stored` is what the audit held when `run`, the minute's run, ended.

    `missing` says per judged timeframe and side which of its items do not hold; `late` are the judged candles
    that the run cannot have seen as they are stored now.
    """

    verdict: Verdict
    missing: tuple[Missing, ...]
    run: MtfRun | None
    stored: MtfAudit | None
    compared: Comparison
    late: tuple[LateCandle, ...]

    @property
    def equal(self) -> bool | None:
        """Whether the stored decision and the recomputed one agree; None when nothing can be compared."""
        return self.compared.equal

    @property
    def comparison(self) -> str:
        """The comparison in one sentence."""
        if not self.compared.differences:
            return self.compared.sentence
        return "; ".join([self.compared.sentence, *self.late_in_words])

    @property
    def late_in_words(self) -> list[str]:
        read = None if self.run is None else read_at(self.run)
        return [] if read is None else [one.told(read) for one in self.late]

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict.to_json(),
            "missing": [one.to_json() for one in self.missing],
            "stored": None if self.stored is None else _stored(self.stored),
            "run_id": None if self.run is None else str(self.run.run_id),
            "run_status": None if self.run is None else self.run.status,
            "judged": self.compared.judged,
            "equal": self.equal,
            "differences": list(self.compared.differences or ()),
            "late_candles": self.late_in_words,
            "comparison": self.comparison,
        }


def explain(symbol: str, at: datetime, profile_name: str) -> Explanation:
    """Judge `symbol` at the minute of `at` (aware) from stored candles, by the profile that ran then.

    Nothing but candles is read for the verdict. Raises UnknownSymbol, and CannotExplain for an
    unknown profile, for one that cannot be loaded and for a moment that is not over.
    """
    minute = Timeframe.M1.floor(_utc(at))
    if minute > datetime.now(UTC):
        raise CannotExplain("at", f"{minute:%Y-%m-%d %H:%M} UTC is in the future")
    if minute < EARLIEST:
        raise CannotExplain("at", f"{minute} is before {EARLIEST:%Y}: no exchange of ours existed")
    require_listed([symbol], [contract.symbol for contract in market.contracts()])
    run = MtfRun.objects.filter(profile=profile_name, minute=minute, trigger=Trigger.BEAT).first()
    judgement = judged_again(symbol, minute, profile_that_ran(profile_name, run))
    verdict = judgement.verdict(symbol)
    ended = None if run is None else run.finished_at
    stored = None if ended is None else audit.last_before(symbol, profile_name, ended)
    missing = tuple(one for judged in judgement.timeframes for one in missing_of(judged))
    return Explanation(verdict, missing, run, stored, compared(verdict, run, stored), _late(verdict, run))


def judged_again(symbol: str, minute: datetime, profile: Profile) -> MinuteJudgement:
    """What the stored candles say of one symbol now, by the very steps of the live minute."""
    warm = Warm((symbol,), [profile])
    warm.refresh(minute)
    [judgement] = evaluate(warm.frames(), [profile], at=minute)
    return judgement


def profile_that_ran(name: str, run: MtfRun | None) -> Profile:
    """The very version that ran, else the file's present one. Raises CannotExplain."""
    try:
        ran = None if run is None else profiles.version(run.digest)
        if ran is not None:
            return ran
        known = files.available(settings.MTF_PROFILES_DIR)
        if name not in known:
            there_are = f"there are {', '.join(known)}"
            raise CannotExplain("profile", f"unknown profile {name!r}: {there_are}")
        return files.load_all(settings.MTF_PROFILES_DIR, [name])[0]
    except ProfileError as fault:
        raise CannotExplain("profile", f"{name} cannot be loaded: {'; '.join(fault.faults)}") from fault


def _utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise CannotExplain("at", f"{at} is out of the calendar") from None


def _stored(row: MtfAudit) -> dict[str, Any]:
    return {
        "run_id": str(row.run_id),
        "cause": row.cause,
        "created_at": row.created_at.isoformat(),
        "verdict": row.details["verdict"],
        "refusal": row.details.get("refusal"),
    }


def _late(verdict: Verdict, run: MtfRun | None) -> tuple[LateCandle, ...]:
    """Judged candles that were stored or corrected only after the run had read its own."""
    seen_until = None if run is None else read_at(run)
    if seen_until is None:
        return ()
    judged = {(one.timeframe, one.candle_open_at) for one in verdict.timeframes}
    return tuple(
        newest_first(
            [
                late
                for timeframe, opened in judged
                for late in written_after(
                    verdict.symbol, timeframe, seen_until, opened, opened + timeframe.duration
                )
            ]
        )
    )
