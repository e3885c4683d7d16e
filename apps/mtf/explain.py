"""Why, at any moment: the verdict recomputed from stored candles, beside what was stored then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from apps.audit import store as audit
from apps.audit.models import MtfAudit
from apps.engine.cycle import evaluate
from apps.engine.evaluate.verdict import Verdict
from apps.engine.profile import Profile
from apps.engine.rules.names import nearest
from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import Timeframe
from apps.market import store as market
from apps.market.models import Kline
from apps.mtf.models import MtfRun, RunStatus, Trigger
from apps.mtf.windows import Warm
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

    `differences` lists what is not equal; None when nothing was stored to compare with.
    """

    verdict: Verdict
    run: MtfRun | None
    stored: MtfAudit | None
    differences: tuple[str, ...] | None
    late: tuple[str, ...]

    @property
    def equal(self) -> bool | None:
        """Whether the stored decision and the recomputed one agree; None when nothing can be compared."""
        return None if self.differences is None else not self.differences

    @property
    def comparison(self) -> str:
        """The comparison in one sentence."""
        if self.run is None:
            return "no run judged this minute: there is nothing stored to compare with"
        if self.run.status != RunStatus.DECIDED:
            return f"the run of this minute is {self.run.status}: it stored nothing to compare with"
        if self.stored is None:
            return "the audit holds no row for this symbol and profile at this minute"
        since = f"stored {self.stored.created_at:%Y-%m-%d %H:%M:%S} UTC as {self.stored.cause}"
        if self.differences is None:
            return f"{since}: a switch stood before the verdict, which was not stored"
        if not self.differences:
            return f"equal to what was {since}"
        return f"differs from what was {since}: {'; '.join([*self.differences, *self.late])}"

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict.to_json(),
            "stored": None if self.stored is None else _stored(self.stored),
            "run_id": None if self.run is None else str(self.run.run_id),
            "run_status": None if self.run is None else self.run.status,
            "equal": self.equal,
            "differences": list(self.differences or ()),
            "late_candles": list(self.late),
            "comparison": self.comparison,
        }


def explain(symbol: str, at: datetime, profile_name: str) -> Explanation:
    """Judge `symbol` at the minute of `at` (aware) from stored candles, by the profile that ran then.

    Nothing but candles is read for the verdict. Raises CannotExplain for an unknown symbol or profile and for
    a moment that is not over.
    """
    minute = Timeframe.M1.floor(_utc(at))
    if minute > datetime.now(UTC):
        raise CannotExplain("at", f"{minute:%Y-%m-%d %H:%M} UTC is in the future")
    if minute < EARLIEST:
        raise CannotExplain("at", f"{minute} is before {EARLIEST:%Y}: no exchange of ours existed")
    _refuse_unknown_symbol(symbol)
    run = MtfRun.objects.filter(profile=profile_name, minute=minute, trigger=Trigger.BEAT).first()
    profile = _profile(profile_name, run)
    warm = Warm((symbol,), [profile])
    warm.refresh(minute)
    [judgement] = evaluate(warm.frames(), [profile], at=minute)
    verdict = judgement.verdict(symbol)
    ended = None if run is None else run.finished_at
    stored = None if ended is None else audit.last_before(symbol, profile_name, ended)
    return Explanation(verdict, run, stored, _differences(verdict, run, stored), _late(verdict, run))


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


def _refuse_unknown_symbol(symbol: str) -> None:
    listed = [contract.symbol for contract in market.contracts()]
    if symbol not in listed:
        raise CannotExplain("symbol", f"unknown symbol {symbol!r}{nearest(symbol, listed)}")


def _profile(name: str, run: MtfRun | None) -> Profile:
    """The very version that ran, else the file's present one."""
    ran = None if run is None else profiles.version(run.digest)
    if ran is not None:
        return ran
    known = files.available(settings.MTF_PROFILES_DIR)
    if name not in known:
        raise CannotExplain("profile", f"unknown profile {name!r}: there are {', '.join(known)}")
    return files.load_all(settings.MTF_PROFILES_DIR, [name])[0]


def _differences(verdict: Verdict, run: MtfRun | None, stored: MtfAudit | None) -> tuple[str, ...] | None:
    if run is None or run.status != RunStatus.DECIDED or stored is None or stored.details.get("refusal"):
        return None
    then = Verdict.from_json(stored.details["verdict"])
    pairs = [
        ("digest", then.digest, verdict.digest),
        ("outcome", then.outcome, verdict.outcome),
        ("side", then.side, verdict.side),
        ("execution timeframe", then.execution_timeframe, verdict.execution_timeframe),
        ("reason", then.reason, verdict.reason),
    ]
    return tuple(f"{name} was {before}, is {now}" for name, before, now in pairs if before != now)


def _late(verdict: Verdict, run: MtfRun | None) -> tuple[str, ...]:
    """Judged candles that were stored or corrected only after the run had ended."""
    if run is None or run.finished_at is None:
        return ()
    found = []
    for one in verdict.timeframes:
        candle = Kline.objects.filter(
            symbol=verdict.symbol, timeframe=one.timeframe, open_time=one.candle_open_at
        ).first()
        if candle is not None and candle.updated_at > run.finished_at:
            found.append(
                f"its {one.timeframe} candle of {one.candle_open_at:%H:%M} was written at "
                f"{candle.updated_at:%H:%M:%S}, after the run"
            )
    return tuple(dict.fromkeys(found))
