"""Remembers what was decided: one transaction into the rooms, and in memory what they hold after it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import transaction

from apps.audit import store as audit
from apps.engine.evaluate.judgement import MinuteJudgement
from apps.engine.evaluate.timeframe import TimeframeOutcome
from apps.engine.indicators.columns import ALIASES, column_names
from apps.engine.values.reason import Refusal
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.live import run_state
from apps.live.cause import (
    Cause,
    cause_counts,
    stored_causes,
    switch_refusals,
    symbol_causes,
    unjudged_symbols,
    unwatched_rows,
    unwatched_symbols,
)
from apps.live.judge_faults import count_judge_faults
from apps.live.last_outcome import LastOutcomes, outcome_rows, signal_rows
from apps.live.membership import Membership
from apps.live.models import MtfRun
from apps.live.run_state import StageTimer
from apps.live.windows import Warm
from apps.signals import store as signals
from apps.signals.store import OutcomeRow, SignalRow, SnapshotRow
from apps.switches import queue
from apps.switches import store as switches

STEP = "verdict"


@dataclass
class _LastOfProfile:
    """What the rooms hold of one profile. `unwatched`: symbols whose verdicts the next run ends."""

    outcomes: LastOutcomes
    causes: dict[str, Cause]
    unwatched: list[str]


@dataclass
class _Written:
    """What one run put into the rooms, to be remembered when it is committed."""

    causes: dict[str, Cause]
    outcomes: list[tuple[TimeframeOutcome, list[SignalRow]]] = field(default_factory=list)


class RunRecorder:
    """One per evaluating worker. What it remembers is a copy of committed rows, read anew at start."""

    def __init__(self) -> None:
        self._last: dict[str, _LastOfProfile] = {}

    def record(
        self,
        decided: Sequence[tuple[MtfRun, MinuteJudgement]],
        *,
        warm: Warm,
        at: datetime,
        stages: StageTimer,
        announced_s: float | None,
        membership: Membership | None = None,
    ) -> list[dict[str, Cause]]:
        """Write snapshots, outcomes, signals, audit and the runs' end in one transaction; return what each
        run says of each symbol.

        With them the marks that were judged end, and what failed by itself is counted. `announced_s` is the
        Unix time of the minute's announcement. Nothing is remembered unless it commits.
        """
        fresh = {timeframe: warm.unreported(timeframe) for timeframe in WINDOW}
        with transaction.atomic():
            off = switches.off_switches()
            signals.save_snapshots(row for tf, rows in fresh.items() for row in _snapshots(warm, tf, rows))
            written = [
                self._write_run(run, judgement, switch_refusals(off, judgement.profile, judgement.symbols))
                for run, judgement in decided
            ]
            count_judge_faults([each for _, each in decided], warm.frames().failed, datetime.now(UTC))
            stages.lap("write_ms")
            now_s = time.time()
            timings = stages.laps | {"close_to_decided_ms": round((now_s - at.timestamp()) * 1000, 1)}
            if announced_s is not None:
                timings["announced_to_decided_ms"] = round((now_s - announced_s) * 1000, 1)
            for (run, judgement), rows in zip(decided, written, strict=True):
                counts = cause_counts(rows.causes)
                if membership is not None:
                    counts |= membership.counts(run.profile)
                    _take_marks(run, judgement, membership)
                run_state.finish_run(run, now=datetime.now(UTC), counts=counts, timings=timings)
        for timeframe, reported in fresh.items():
            warm.report(timeframe, reported)
        for (_, judgement), rows in zip(decided, written, strict=True):
            last = self._last[judgement.profile.name]
            last.causes, last.unwatched = rows.causes, []
            for outcome, signals_of_outcome in rows.outcomes:
                last.outcomes.remember(judgement, outcome, signals_of_outcome)
        return [rows.causes for rows in written]

    def _write_run(self, run: MtfRun, judgement: MinuteJudgement, refused: Mapping[str, Refusal]) -> _Written:
        last = self._last_of(judgement)
        written = _Written(symbol_causes(judgement, refused))
        outcomes: list[OutcomeRow] = []
        for outcome in judgement.timeframes:
            rows = last.outcomes.changed_rows(judgement, outcome)
            written.outcomes.append(
                (outcome, signal_rows(last.outcomes, judgement, outcome, rows, run.run_id))
            )
            outcomes += outcome_rows(judgement, outcome, rows)
        signals.save_outcomes(outcomes)
        signals.save_signals(row for _, rows in written.outcomes for row in rows)
        audit.save_rows(
            _audit_row(run, judgement, symbol, cause, refused.get(symbol))
            for symbol, cause in written.causes.items()
            if cause.is_ready or cause != last.causes.get(symbol)
        )
        audit.save_rows(unwatched_rows(run, last.unwatched, datetime.now(UTC)))
        return written

    def _last_of(self, judgement: MinuteJudgement) -> _LastOfProfile:
        """Return what is remembered of the profile; read anew at first and when the symbols changed."""
        name, symbols = judgement.profile.name, judgement.symbols
        last = self._last.get(name)
        if last is None or last.outcomes.symbols != symbols:
            last = self._last[name] = _LastOfProfile(
                LastOutcomes.stored(name, symbols),
                stored_causes(name, symbols),
                unwatched_symbols(name, symbols),
            )
        return last


def _take_marks(run: MtfRun, judgement: MinuteJudgement, membership: Membership) -> None:
    """End the marks of this profile whose symbols could be judged; the others wait for their candles."""
    marks = membership.marks_of(run.profile)
    if marks:
        judged = set(judgement.symbols) - unjudged_symbols(judgement)
        queue.take_marks(marks, judged, run.run_id, datetime.now(UTC))


def _snapshots(warm: Warm, timeframe: Timeframe, rows: Sequence[int]) -> Iterator[SnapshotRow]:
    names = [name for name in column_names(timeframe) if name not in ALIASES]
    open_time = warm.until(timeframe) - timeframe.duration
    columns = warm.frames().frames[timeframe].columns
    values = zip(*(columns[name][rows, -1].tolist() for name in names), strict=True)
    for row, values_of_symbol in zip(rows, values, strict=True):
        by_name = dict(zip(names, values_of_symbol, strict=True))
        yield SnapshotRow(warm.symbols[row], timeframe, open_time, by_name)


def _audit_row(
    run: MtfRun, judgement: MinuteJudgement, symbol: str, cause: Cause, refusal: Refusal | None
) -> audit.AuditRow:
    return audit.AuditRow(
        symbol=symbol,
        run_id=run.run_id,
        step=STEP,
        timeframe=cause.timeframe,
        cause=cause.text,
        profile=judgement.profile.name,
        digest=judgement.profile.digest,
        created_at=datetime.now(UTC),
        details={
            "verdict": judgement.verdict(symbol).to_json(),
            "refusal": None if refusal is None else {"reason": refusal.reason, **refusal.numbers},
        },
    )
