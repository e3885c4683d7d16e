"""A decision in one line per symbol: ready or why not, on which side, where. The audit keeps its changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.audit import store as audit
from apps.audit.store import READY
from apps.engine.evaluate.judgement import MinuteJudgement
from apps.engine.evaluate.outcome import SIDES, Outcome
from apps.engine.values.reason import Refusal
from apps.engine.values.timeframe import Timeframe


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


def symbol_causes(judgement: MinuteJudgement, refused: Mapping[str, Refusal]) -> dict[str, Cause]:
    """Every symbol's cause, switches included."""
    digest = judgement.profile.digest
    found: dict[str, Cause] = {}
    columns = (judgement.symbols, judgement.reason, judgement.side.tolist(), judgement.execution_timeframe)
    for symbol, reason, side, timeframe in zip(*columns, strict=True):
        refusal = refused.get(symbol)
        if refusal is not None:
            found[symbol] = Cause(digest, refusal.reason.value)
        else:
            name = SIDES.get(Outcome(side))
            found[symbol] = Cause(
                digest, READY if reason is None else reason.value, name and name.value, timeframe
            )
    return found


def stored_causes(profile: str, symbols: Sequence[str]) -> dict[str, Cause]:
    """What the audit says stands now."""
    return {
        symbol: Cause(
            row.digest,
            row.cause,
            row.details["verdict"]["side"] if row.details.get("refusal") is None else None,
            None if row.timeframe is None else Timeframe(row.timeframe),
        )
        for symbol, row in audit.newest_rows(profile, symbols).items()
    }


def cause_counts(found: Mapping[str, Cause]) -> dict[str, Any]:
    """How many symbols were judged, are ready (by side), and are not, by cause."""
    ready = Counter(cause.side for cause in found.values() if cause.is_ready)
    return {
        "symbols": len(found),
        "ready": ready.total(),
        "long": ready["long"],
        "short": ready["short"],
        "by_cause": dict(Counter(cause.text for cause in found.values() if not cause.is_ready)),
    }
