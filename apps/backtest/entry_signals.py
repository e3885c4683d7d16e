"""The minutes at which one symbol was READY, with what an entry needs of each: small, and kept in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from apps.backtest.source import Source
from apps.engine.cycle import replay
from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.evaluate.verdict import Verdict
from apps.engine.frame import Floats, Ints
from apps.engine.indicators.history import history
from apps.engine.profile import Profile
from apps.engine.values.position import Side
from apps.engine.values.timeframe import Timeframe

READY = "READY"


def judge_past(source: Source, symbol: str, profile: Profile) -> PastJudgement:
    """Judge `symbol` at every 1m close of the source's range, from its own candles in every timeframe.

    The frames hold what the profile's rules and its entry read. Raises what the source raises.
    """
    columns = profile.columns
    frames = history(source.windows(symbol, columns), columns)
    return replay(frames, profile, source.range.closes_ms)


@dataclass(frozen=True, eq=False)
class EntrySignals:
    """Arrays over the READY minutes, rising: `at_ms` the 1m close, `open_ms` the deciding candle's open.

    `timeframe` points into `timeframes`; `side` is +1 long, -1 short. `columns` holds what the entry reads of
    each timeframe's newest closed candle, one value a READY minute. `verdicts` counts all minutes judged, by
    the reason that there was no entry, READY ones under "READY"; `candles` is their number.
    """

    symbol: str
    profile: Profile
    timeframes: Sequence[Timeframe]
    at_ms: Ints
    open_ms: Ints
    timeframe: Ints
    side: Ints
    columns: Mapping[Timeframe, Mapping[str, Floats]]
    verdicts: Mapping[str, int]
    candles: int

    def __len__(self) -> int:
        return len(self.at_ms)

    def verdict(self, row: int) -> Verdict:
        """Return the verdict of a READY minute, without its leaves: an entry does not read them."""
        return Verdict(
            symbol=self.symbol,
            profile=self.profile.name,
            digest=self.profile.digest,
            evaluated_at=datetime.fromtimestamp(int(self.at_ms[row]) // 1000, UTC),
            is_ready=True,
            side=Side.LONG if self.side[row] > 0 else Side.SHORT,
            execution_timeframe=self.timeframes[self.timeframe[row]],
            candle_open_at=datetime.fromtimestamp(int(self.open_ms[row]) // 1000, UTC),
            reason=None,
            score=None,
            timeframes=(),
        )

    def features(self, row: int) -> dict[Timeframe, dict[str, float]]:
        return {
            timeframe: {name: float(values[row]) for name, values in columns.items()}
            for timeframe, columns in self.columns.items()
        }


def entry_signals(judgement: PastJudgement) -> EntrySignals:
    """Return what an entry needs of a judged past, which may be forgotten then."""
    rows = judgement.ready.nonzero()[0]
    profile, frames = judgement.profile, judgement.frames.frames
    reads = () if profile.entry is None else set(profile.entry.reads(profile.execution_timeframes))
    columns: dict[Timeframe, dict[str, Floats]] = {}
    for timeframe, name in sorted(reads):
        values = frames[timeframe].columns[name][0]
        columns.setdefault(timeframe, {})[name] = values[judgement.rows[timeframe][rows]]
    return EntrySignals(
        symbol=judgement.symbol,
        profile=profile,
        timeframes=[each.timeframe for each in judgement.execution],
        at_ms=judgement.closes_ms[rows],
        open_ms=judgement.candle_open_ms[rows],
        timeframe=judgement.execution_index[rows],
        side=judgement.side[rows].astype("int64"),
        columns=columns,
        verdicts=Counter(READY if reason is None else str(reason) for reason in judgement.reason.tolist()),
        candles=len(judgement.closes_ms),
    )
