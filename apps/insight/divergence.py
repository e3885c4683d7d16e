"""What was decided live against what a replay of the stored candles decides now, minute by minute.

Each difference is told with its probable reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from apps.audit.store import NOT_WATCHED, Cause
from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.profile import Profile, ProfileError
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.insight.decision import (
    LiveDecisions,
    live_decisions,
    past_decisions,
    row_decision,
    verdict_decision,
)
from apps.insight.replay import (
    MINUTE,
    LateCandle,
    asks_spread,
    candles_read_at,
    late_candles,
    minute_judgement,
    past_judgement,
)
from apps.live.models import MtfRun, RunStatus
from apps.profiles import store as profiles

NO_RUN = "no_run"
VERSION_UNKNOWN = "version_not_kept"
SWITCH = "kill_switch"
UNKNOWN_SPREAD = "its selection asks for spread_bps, which live may have known and no past knows"
NO_REASON = "no candle it reads was written later, and its own window gives the replay's answer: look at it"


class Kind(StrEnum):
    """The probable reason of a difference."""

    LATE_CANDLE = "late_candle"
    CORRECTED_CANDLE = "corrected_candle"
    WARM_UP = "warm_up"
    SPREAD = "spread"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Difference:
    """`live` and `replay` are the decisions in words; `why` names what probably made them differ."""

    minute: datetime
    symbol: str
    live: str
    replay: str
    kind: Kind
    why: str

    def to_json(self) -> dict[str, Any]:
        return {
            "minute": self.minute.isoformat(),
            "symbol": self.symbol,
            "live": self.live,
            "replay": self.replay,
            "kind": str(self.kind),
            "why": self.why,
        }


@dataclass(frozen=True)
class Divergence:
    """One profile over [start, end). Counts are of minutes × symbols; `not_comparable` by why not.

    `runs` counts the minutes by what became of their run; `digests` are the versions that ran.
    """

    profile: str
    start: datetime
    end: datetime
    symbols: tuple[str, ...]
    digests: tuple[str, ...]
    runs: Counter[str]
    equal: int
    not_comparable: Counter[str]
    differences: tuple[Difference, ...]

    @property
    def kinds(self) -> Counter[str]:
        """How many differences have which probable reason."""
        return Counter(str(each.kind) for each in self.differences)

    @property
    def unexplained(self) -> int:
        return self.kinds[Kind.UNEXPLAINED]

    def to_json(self) -> dict[str, Any]:
        return {
            "profile": self.profile,
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "symbols": list(self.symbols),
            "digests": list(self.digests),
            "runs": dict(self.runs),
            "equal": self.equal,
            "different": len(self.differences),
            "different_by_kind": dict(self.kinds),
            "unexplained": self.unexplained,
            "not_comparable": dict(self.not_comparable),
            "differences": [each.to_json() for each in self.differences],
        }


def find_divergence(
    profile: str,
    symbols: Sequence[str] | None,
    start: datetime,
    end: datetime,
    advance: Callable[[str], None] = lambda _: None,
) -> Divergence:
    """Compare `profile` over the minutes of [start, end), aware UTC, each by the version that ran then.

    Without `symbols` every symbol that a run of these minutes judged. `advance` is called with each one done.
    """
    live = live_decisions(profile, symbols, start, end)
    versions = {digest: _find_version(digest) for digest in dict.fromkeys(run.digest for run in live.decided)}
    symbols = live.judged_symbols if symbols is None else symbols
    runs = Counter({NO_RUN: (end - start) // MINUTE - len(live.runs)})
    runs.update(str(run.status) for run in live.runs)
    equal = 0
    differences: list[Difference] = []
    not_comparable = Counter({status: count * len(symbols) for status, count in runs.items()})
    del not_comparable[RunStatus.DECIDED]
    for symbol in symbols:
        for digest, version in versions.items():
            of_version = [run for run in live.decided if run.digest == digest]
            if version is None:
                not_comparable[VERSION_UNKNOWN] += len(of_version)
                continue
            judged = _judged_rows(live, symbol, of_version)
            comparable = [(run, row) for run, row in judged if not row.refused]
            not_comparable[NOT_WATCHED] += len(of_version) - len(judged)
            not_comparable[SWITCH] += len(judged) - len(comparable)
            different = _differences(symbol, version, comparable) if comparable else []
            equal += len(comparable) - len(different)
            differences += different
        advance(symbol)
    return Divergence(
        profile=profile,
        start=start,
        end=end,
        symbols=tuple(symbols),
        digests=tuple(versions),
        runs=+runs,
        equal=equal,
        not_comparable=+not_comparable,
        differences=tuple(sorted(differences, key=lambda each: (each.minute, each.symbol))),
    )


def _judged_rows(live: LiveDecisions, symbol: str, runs: Sequence[MtfRun]) -> list[tuple[MtfRun, Cause]]:
    """Return those of `runs` that judged `symbol`, each with the row that stood when it ended."""
    rows = zip(runs, live.rows_at_end(symbol, runs), strict=True)
    return [(run, row) for run, row in rows if row and row.digest == run.digest and row.cause != NOT_WATCHED]


def _find_version(digest: str) -> Profile | None:
    """Return the version as it ran; None when it is not kept, or today's language cannot read it."""
    try:
        return profiles.find_version(digest)
    except ProfileError:
        return None


def _differences(symbol: str, version: Profile, rows: Sequence[tuple[MtfRun, Cause]]) -> list[Difference]:
    """Return the minutes of `rows`, rising, that a replay by `version` decides otherwise than their row."""
    first, last = rows[0][0].minute, rows[-1][0].minute
    history = past_judgement(symbol, version, first, last + MINUTE)
    replayed = past_decisions(history)
    changed = []
    for run, row in rows:
        at = (run.minute - first) // MINUTE
        if row_decision(row) != replayed[at]:
            changed.append((run, at, row_decision(row)))
    if not changed:
        return []

    minutes = [run.minute for run, _, _ in changed]
    reads = [read_at for run, _, _ in changed if (read_at := candles_read_at(run)) is not None]
    spans = [
        (timeframe, _window_start(timeframe, min(minutes)), max(minutes)) for timeframe in version.timeframes
    ]
    late = late_candles(symbol, min(reads), spans)
    return [
        Difference(run.minute, symbol, live, replayed[at], *_difference_reason(history, at, run, live, late))
        for run, at, live in changed
    ]


def _difference_reason(
    history: PastJudgement, at: int, run: MtfRun, live: str, late: Sequence[LateCandle]
) -> tuple[Kind, str]:
    """Return the probable reason why row `at` of the history is not what `run` decided, `live`.

    The newest candle in the windows of the run's minute that was written after the run had read them; else
    an indicator that settles over a longer past than the live window; else none is known.
    """
    read_at = candles_read_at(run)
    assert read_at is not None
    for candle in late:
        was_read = candle.written_at <= read_at
        in_window = _window_start(candle.timeframe, run.minute) <= candle.open_time
        if in_window and candle.close_time <= run.minute and not was_read:
            kind = Kind.CORRECTED_CANDLE if candle.is_correction(read_at) else Kind.LATE_CANDLE
            return kind, candle.sentence(read_at)

    exact = minute_judgement(history.symbol, run.minute, history.profile).verdict(history.symbol)
    if verdict_decision(exact) != live:
        if asks_spread(history.profile):
            return Kind.SPREAD, UNKNOWN_SPREAD
        return Kind.UNEXPLAINED, NO_REASON
    turned = [
        f"{now.text}: {then.left} against {then.right} live, {now.left} against {now.right} here"
        for judged_then, judged_now in zip(exact.timeframes, history.verdict(at).timeframes, strict=True)
        for then, now in zip(judged_then.leaves, judged_now.leaves, strict=True)
        if then.held != now.held
    ]
    return Kind.WARM_UP, f"over the live window's length it is equal; {'; '.join(turned)}"


def _window_start(timeframe: Timeframe, minute: datetime) -> datetime:
    return timeframe.floor(minute) - WINDOW[timeframe] * timeframe.duration
