"""Remembers what was decided: one transaction into the rooms, and in memory only what stands there."""

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
from apps.live import cause as unwatched
from apps.live import run_state
from apps.live.cause import Cause, cause_counts, stored_causes, switch_refusals, symbol_causes
from apps.live.last_outcome import LastOutcomes, outcome_rows, signal_rows
from apps.live.models import MtfRun
from apps.live.run_state import StageTimer
from apps.live.windows import Warm
from apps.signals import store as signals
from apps.signals.store import OutcomeRow, SignalRow, SnapshotRow
from apps.switches import store as switches

STEP = "verdict"


@dataclass
class _Written:
    """What one run put into the rooms, to be remembered when it is committed."""

    causes: dict[str, Cause]
    outcomes: list[tuple[TimeframeOutcome, list[SignalRow]]] = field(default_factory=list)


class RunRecorder:
    """One per evaluating worker. What it remembers is a copy of committed rows, read anew at start."""

    def __init__(self) -> None:
        self._standing: dict[str, LastOutcomes] = {}
        self._causes: dict[str, dict[str, Cause]] = {}
        self._leaving: dict[str, list[str]] = {}

    def record(
        self,
        decided: Sequence[tuple[MtfRun, MinuteJudgement]],
        *,
        warm: Warm,
        at: datetime,
        stages: StageTimer,
        announced_s: float | None,
    ) -> None:
        """Write snapshots, outcomes, signals, audit and the runs' end in one transaction.

        `announced_s` is the Unix time of the minute's announcement. Nothing is remembered unless it commits.
        """
        fresh = {timeframe: warm.unreported(timeframe) for timeframe in WINDOW}
        with transaction.atomic():
            off = switches.off_switches()
            signals.save_snapshots(row for tf, rows in fresh.items() for row in _snapshots(warm, tf, rows))
            written = [
                self._write(run, judgement, switch_refusals(off, judgement.profile, judgement.symbols))
                for run, judgement in decided
            ]
            stages.lap("write_ms")
            timings = _timings(stages, at, announced_s)
            for (run, _), one in zip(decided, written, strict=True):
                run_state.finish_run(
                    run, now=datetime.now(UTC), counts=cause_counts(one.causes), timings=timings
                )
        for timeframe, rows in fresh.items():
            warm.report(timeframe, rows)
        for (_, judgement), one in zip(decided, written, strict=True):
            self._remember(judgement, one)

    def _write(self, run: MtfRun, judgement: MinuteJudgement, refused: Mapping[str, Refusal]) -> _Written:
        standing = self._of(judgement)
        now = _Written(symbol_causes(judgement, refused))
        outcomes: list[OutcomeRow] = []
        for one in judgement.timeframes:
            rows = standing.changed(one)
            now.outcomes.append((one, signal_rows(standing, judgement, one, rows, run.run_id)))
            outcomes += outcome_rows(judgement, one, rows)
        signals.save_outcomes(outcomes)
        signals.save_signals(row for _, rows in now.outcomes for row in rows)
        before = self._causes[judgement.profile.name]
        worth = [s for s, cause in now.causes.items() if cause.is_ready or cause != before.get(s)]
        audit.save_rows(_audit_row(run, judgement, symbol, now.causes[symbol], refused) for symbol in worth)
        audit.save_rows(
            unwatched.unwatched_rows(run, self._leaving[judgement.profile.name], datetime.now(UTC))
        )
        return now

    def _of(self, judgement: MinuteJudgement) -> LastOutcomes:
        """What stands of the judged profile; read from the tables at first and when the symbols changed."""
        name = judgement.profile.name
        standing = self._standing.get(name)
        if standing is None or standing.symbols != judgement.symbols:
            standing = self._standing[name] = LastOutcomes.stored(name, judgement.symbols)
            self._causes[name] = stored_causes(name, judgement.symbols)
            self._leaving[name] = unwatched.unwatched_symbols(name, judgement.symbols)
        return standing

    def _remember(self, judgement: MinuteJudgement, one: _Written) -> None:
        self._causes[judgement.profile.name] = one.causes
        self._leaving[judgement.profile.name] = []
        for outcome, rows in one.outcomes:
            self._standing[judgement.profile.name].remember(outcome, rows)


def _snapshots(warm: Warm, timeframe: Timeframe, rows: Sequence[int]) -> Iterator[SnapshotRow]:
    names = [name for name in column_names(timeframe) if name not in ALIASES]
    opened = warm.until(timeframe) - timeframe.duration
    columns = warm.frames().frames[timeframe].columns
    values = zip(*(columns[name][rows, -1].tolist() for name in names), strict=True)
    for row, of_symbol in zip(rows, values, strict=True):
        yield SnapshotRow(warm.symbols[row], timeframe, opened, dict(zip(names, of_symbol, strict=True)))


def _audit_row(
    run: MtfRun, judgement: MinuteJudgement, symbol: str, cause: Cause, refused: Mapping[str, Refusal]
) -> audit.AuditRow:
    refusal = refused.get(symbol)
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


def _timings(stages: StageTimer, at: datetime, announced_s: float | None) -> dict[str, float]:
    now_s = time.time()
    timings = dict(stages.laps) | {"close_to_decided_ms": round((now_s - at.timestamp()) * 1000, 1)}
    if announced_s is not None:
        timings["announced_to_decided_ms"] = round((now_s - announced_s) * 1000, 1)
    return timings
