"""Symbols whose indicators raise, minute after minute: each minute counts a fault, several blacklist them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog

from apps.engine.evaluate.judgement import MinuteJudgement
from apps.engine.values.timeframe import Timeframe
from apps.market import blacklist
from apps.market.blacklist import FaultKind

log = structlog.get_logger("mtf")


def count_judge_faults(
    judgements: Sequence[MinuteJudgement], failed_on: Mapping[Timeframe, frozenset[str]], now: datetime
) -> None:
    """Count a fault of each judged symbol of `failed_on` (Frames.failed), end the row of the others.

    Where most of the judged symbols fail it is not their own fault: nothing is counted. Extra indicators are
    a profile's, and never counted.
    """
    judged = {symbol for judgement in judgements for symbol in judgement.symbols}
    timeframes = {of.timeframe for judgement in judgements for of in judgement.timeframes}
    failed = {symbol for timeframe in timeframes for symbol in failed_on[timeframe]} & judged
    if recovered := (blacklist.faulty_symbols(FaultKind.JUDGE) & judged) - failed:
        blacklist.forget_faults(FaultKind.JUDGE, symbols=recovered)
    if 2 * len(failed) > len(judged):
        log.error("most_symbols_failed", failed=len(failed), judged=len(judged))
        return
    for symbol in sorted(failed):
        names = ", ".join(sorted(timeframe for timeframe in timeframes if symbol in failed_on[timeframe]))
        until = blacklist.count_fault(symbol, FaultKind.JUDGE, f"indicators raise on {names}", now)
        if until is not None:
            log.error("symbol_blacklisted", symbol=symbol, until=until.isoformat())
