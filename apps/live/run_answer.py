"""The JSON answer of a run that was asked for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from apps.engine.evaluate.judgement import MinuteJudgement
from apps.engine.evaluate.outcome import Outcome
from apps.engine.evaluate.timeframe import TimeframeOutcome
from apps.engine.values.reason import Reason, Refusal
from apps.live.cause import Cause, cause_counts, symbol_causes
from apps.live.last_outcome import candle_open_at

NO_DATA = frozenset(
    {
        Reason.NO_KLINES,
        Reason.CANDLE_LATE,
        Reason.CANDLE_GAP,
        Reason.NOT_ENOUGH_KLINES,
        Reason.INDICATOR_ERROR,
    }
)
"""Reasons that say nothing about the market: the symbol could not be judged on that timeframe."""


def run_result(
    judgement: MinuteJudgement,
    symbols: Sequence[str],
    refused: Mapping[str, Refusal],
    *,
    run_id: str,
    timings: Mapping[str, float],
) -> dict[str, Any]:
    """`status` is success when every symbol could be judged, error when none could, else partial_success."""
    rows = {symbol: row for row, symbol in enumerate(judgement.symbols)}
    wanted = {symbol: rows[symbol] for symbol in symbols}
    found = {s: cause for s, cause in symbol_causes(judgement, refused).items() if s in wanted}
    errors = [
        _error(s, one, row) for s, row in wanted.items() for one in judgement.timeframes if _blind(one, row)
    ]
    blind = {error["symbol"] for error in errors}
    summary = cause_counts(found)
    return {
        "status": "error"
        if wanted and len(blind) == len(wanted)
        else "partial_success"
        if blind
        else "success",
        "run_id": run_id,
        "profile": judgement.profile.name,
        "digest": judgement.profile.digest,
        "minute": judgement.at.isoformat(),
        "summary": summary,
        "results": [_entry(judgement, symbol, row, found[symbol]) for symbol, row in wanted.items()],
        "summary_by_tf": _by_timeframe(judgement, list(wanted.values())),
        "rejected_by": summary["by_cause"],
        "performance": dict(timings),
        "errors": errors,
    }


def _entry(judgement: MinuteJudgement, symbol: str, row: int, cause: Cause) -> dict[str, Any]:
    score = float(judgement.score[row])
    ready = {"verdict": judgement.verdict(symbol).to_json()} if cause.is_ready else {}
    return ready | {
        "symbol": symbol,
        "status": "READY" if cause.is_ready else "INVALID",
        "side": cause.side,
        "execution_tf": cause.timeframe,
        "reason": None if cause.is_ready else cause.text,
        "score": None if math.isnan(score) else round(score, 4),
        "timeframes": [_timeframe(one, row) for one in judgement.timeframes],
    }


def _timeframe(one: TimeframeOutcome, row: int) -> dict[str, Any]:
    return {
        "timeframe": one.timeframe,
        "phase": one.phase,
        "outcome": Outcome(one.outcome[row]).word,
        "reason": one.reason[row],
        "kline_time": candle_open_at(one, row).isoformat(),
        "grace": bool(one.grace[row]),
    }


def _by_timeframe(judgement: MinuteJudgement, rows: Sequence[int]) -> dict[str, dict[str, int]]:
    """Timeframe (slowest first, `1m execution` and the like) → outcome → symbols."""
    return {
        f"{one.timeframe} {one.phase}": dict(Counter(Outcome(one.outcome[row]).word for row in rows))
        for one in judgement.timeframes
    }


def _blind(one: TimeframeOutcome, row: int) -> bool:
    return one.reason[row] in NO_DATA


def _error(symbol: str, one: TimeframeOutcome, row: int) -> dict[str, str]:
    return {"symbol": symbol, "timeframe": one.timeframe, "phase": one.phase, "reason": one.reason[row]}
