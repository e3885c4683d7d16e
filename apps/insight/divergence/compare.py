"""Minute by minute: the decision that stood against the one a replay gives, over all symbols of a profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.audit.store import NOT_WATCHED, StandingCause
from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.profile import Profile, ProfileError
from apps.insight.divergence.live import Lived, lived
from apps.insight.divergence.reasons import Diverging, explained
from apps.insight.divergence.report import Difference, Divergence
from apps.insight.divergence.words import live_words, replay_words
from apps.insight.past_verdicts import MINUTE, past
from apps.live.models import MtfRun, RunStatus
from apps.profiles import store as profiles

NO_RUN = "no_run"
VERSION_UNKNOWN = "version_not_kept"
SWITCH = "kill_switch"


@dataclass
class _Tally:
    equal: int
    not_comparable: Counter[str]
    differences: list[Difference]


def diverging(
    profile: str,
    symbols: Sequence[str] | None,
    start: datetime,
    end: datetime,
    tell: Callable[[str], None] = lambda _: None,
) -> Divergence:
    """Compare `profile` over the minutes of [start, end), aware UTC; `tell` is called with each symbol done.

    Without `symbols` every symbol that a run of the stretch judged. Each minute by the version that ran then.
    """
    found = lived(profile, symbols, start, end)
    chosen = _judged(found) if symbols is None else list(symbols)
    versions = {digest: _version(digest) for digest in dict.fromkeys(run.digest for run in found.decided)}
    tally = _Tally(0, _without_decision(found, start, end, len(chosen)), [])
    for symbol in chosen:
        for digest, version in versions.items():
            runs = [run for run in found.decided if run.digest == digest]
            _compare(tally, found, symbol, runs, version)
        tell(symbol)
    return Divergence(
        profile=profile,
        start=start,
        end=end,
        symbols=tuple(chosen),
        digests=tuple(versions),
        runs=Counter({NO_RUN: _minutes(start, end) - len(found.runs)})
        + Counter(str(run.status) for run in found.runs),
        equal=tally.equal,
        not_comparable=tally.not_comparable,
        differences=tuple(sorted(tally.differences, key=lambda one: (one.minute, one.symbol))),
    )


def _version(digest: str) -> Profile | None:
    """The version as it ran; None when it is not kept, or today's language cannot read it."""
    try:
        return profiles.version(digest)
    except ProfileError:
        return None


def _compare(
    tally: _Tally, found: Lived, symbol: str, runs: Sequence[MtfRun], version: Profile | None
) -> None:
    """Take up the minutes of `runs`, all by one version of the profile, for one symbol."""
    if version is None:
        tally.not_comparable[VERSION_UNKNOWN] += len(runs)
        return
    comparable: list[tuple[MtfRun, StandingCause]] = []
    for run, row in zip(runs, found.standing(symbol, runs), strict=True):
        if row is None or row.cause == NOT_WATCHED or row.digest != run.digest:
            tally.not_comparable[NOT_WATCHED] += 1
        elif row.refused:
            tally.not_comparable[SWITCH] += 1
        else:
            comparable.append((run, row))
    if comparable:
        history = past(symbol, version, comparable[0][0].minute, comparable[-1][0].minute + MINUTE)
        _count(tally, history, comparable)


def _count(tally: _Tally, history: PastJudgement, comparable: Sequence[tuple[MtfRun, StandingCause]]) -> None:
    now = replay_words(history)
    found: list[Diverging] = []
    for run, row in comparable:
        at = (run.minute - comparable[0][0].minute) // MINUTE
        live = live_words(row)
        if live == now[at]:
            tally.equal += 1
        else:
            found.append(Diverging(run, at, live, now[at]))
    tally.differences.extend(explained(history, found))


def _judged(found: Lived) -> list[str]:
    """Symbols of which a row of a version that ran stood at the end of some run."""
    ran = {run.digest for run in found.decided}
    return sorted(
        symbol
        for symbol, rows in found.rows.items()
        if any(row.digest in ran and row.cause != NOT_WATCHED for row in rows)
    )


def _without_decision(found: Lived, start: datetime, end: datetime, symbols: int) -> Counter[str]:
    """Minutes × symbols that nobody decided, by what became of their run."""
    missed = Counter(str(run.status) for run in found.runs if run.status != RunStatus.DECIDED)
    missed[NO_RUN] = _minutes(start, end) - len(found.runs)
    return Counter({what: count * symbols for what, count in missed.items() if count * symbols})


def _minutes(start: datetime, end: datetime) -> int:
    return (end - start) // MINUTE
