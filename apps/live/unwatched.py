"""The last word about a symbol that is judged no more: without it its last verdict would stand for ever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from apps.audit import store as audit
from apps.live.models import MtfRun
from apps.market import store as market

STEP = "universe"


def unwatched_symbols(profile: str, judged: Sequence[str]) -> list[str]:
    """Symbols, by name, of which a verdict of `profile` still stands though it is not among the `judged`."""
    others = sorted({contract.symbol for contract in market.contracts()}.difference(judged))
    standing = audit.newest_causes(profile, others)
    return [symbol for symbol in others if symbol in standing and standing[symbol].cause != audit.NOT_WATCHED]


def unwatched_rows(run: MtfRun, symbols: Sequence[str], now: datetime) -> Iterator[audit.AuditRow]:
    """The row of each symbol by which its verdicts end: this run, and those after it, do not judge it."""
    for symbol in symbols:
        yield audit.AuditRow(
            symbol=symbol,
            run_id=run.run_id,
            step=STEP,
            timeframe=None,
            cause=audit.NOT_WATCHED,
            profile=run.profile,
            digest=run.digest,
            created_at=now,
            details={"verdict": None, "refusal": {"reason": audit.NOT_WATCHED}},
        )
