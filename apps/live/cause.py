"""A decision in one line per symbol: ready or why not, on which side, where. The audit keeps its changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.audit import store as audit
from apps.audit.store import READY
from apps.engine.evaluate.judgement import MinuteJudgement
from apps.engine.evaluate.outcome import SIDES, Outcome
from apps.engine.profile import Profile
from apps.engine.values.account import kill_switch_refusal
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.timeframe import Timeframe
from apps.live.models import MtfRun
from apps.market import store as market

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


@dataclass(frozen=True, slots=True)
class Cause:
    """`text` is READY or a reason's exact string; a refused symbol has neither side nor timeframe."""

    digest: str
    text: str
    side: str | None = None
    timeframe: Timeframe | None = None

    @property
    def is_ready(self) -> bool:
        return self.text == READY


def switch_refusals(off: Mapping[str, str], profile: Profile, symbols: Sequence[str]) -> dict[str, Refusal]:
    """Return symbol → refusal where a switch of `off` (key → reason) covers the symbol in this profile."""
    if not off:
        return {}
    timeframes = {judged.timeframe for judged in profile.timeframe_rules}
    refusals = {symbol: kill_switch_refusal(off, profile.name, symbol, timeframes) for symbol in symbols}
    return {symbol: refusal for symbol, refusal in refusals.items() if refusal is not None}


def symbol_causes(judgement: MinuteJudgement, refused: Mapping[str, Refusal]) -> dict[str, Cause]:
    """Return every symbol's cause; `refused` are those that a switch covers."""
    digest = judgement.profile.digest
    by_symbol: dict[str, Cause] = {}
    columns = (judgement.symbols, judgement.reason, judgement.side.tolist(), judgement.execution_timeframe)
    for symbol, reason, side, timeframe in zip(*columns, strict=True):
        refusal = refused.get(symbol)
        if refusal is not None:
            by_symbol[symbol] = Cause(digest, refusal.reason.value)
        else:
            name = SIDES.get(Outcome(side))
            by_symbol[symbol] = Cause(
                digest, READY if reason is None else reason.value, name and name.value, timeframe
            )
    return by_symbol


def unjudged_symbols(judgement: MinuteJudgement) -> set[str]:
    """Return the symbols that could not be judged on some timeframe."""
    return {
        symbol
        for of in judgement.timeframes
        for symbol, reason in zip(judgement.symbols, judgement.at_rows(of, of.reason), strict=True)
        if reason in NO_DATA
    }


def stored_causes(profile: str, symbols: Sequence[str]) -> dict[str, Cause]:
    """Return the causes that stand now, by the audit."""
    return {
        symbol: Cause(
            row.digest,
            row.cause,
            row.details["verdict"]["side"] if row.details.get("refusal") is None else None,
            None if row.timeframe is None else Timeframe(row.timeframe),
        )
        for symbol, row in audit.newest_rows(profile, symbols).items()
    }


def cause_counts(causes: Mapping[str, Cause]) -> dict[str, Any]:
    """Return how many symbols were judged, are ready (by side), and are not, by cause."""
    ready = Counter(cause.side for cause in causes.values() if cause.is_ready)
    return {
        "symbols": len(causes),
        "ready": ready.total(),
        "long": ready["long"],
        "short": ready["short"],
        "by_cause": dict(Counter(cause.text for cause in causes.values() if not cause.is_ready)),
    }


def unwatched_symbols(profile: str, judged: Sequence[str]) -> list[str]:
    """Return the symbols, by name, not `judged` any more though a verdict of `profile` stands."""
    others = sorted({contract.symbol for contract in market.contracts()}.difference(judged))
    causes = audit.newest_causes(profile, others)
    return [symbol for symbol in others if symbol in causes and causes[symbol].cause != audit.NOT_WATCHED]


def unwatched_rows(run: MtfRun, symbols: Sequence[str], now: datetime) -> Iterator[audit.AuditRow]:
    """Yield the row that ends each symbol's verdicts: without it the last one would stand for ever."""
    for symbol in symbols:
        yield audit.AuditRow(
            symbol=symbol,
            run_id=run.run_id,
            step="universe",
            timeframe=None,
            cause=audit.NOT_WATCHED,
            profile=run.profile,
            digest=run.digest,
            created_at=now,
            details={"verdict": None, "refusal": {"reason": audit.NOT_WATCHED}},
        )
