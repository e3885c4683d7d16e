"""What was decided live: the minutes' runs, and for each symbol the audit row that stood when each ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from apps.audit import store as audit
from apps.audit.store import StandingCause
from apps.engine.frame import Ints
from apps.live.models import MtfRun, RunStatus, Trigger
from apps.market import store as market


@dataclass(frozen=True)
class Lived:
    """`runs` are the beat's, by minute, rising; `rows` every audit row that stood at some of their ends,
    by symbol, rising by time."""

    profile: str
    runs: tuple[MtfRun, ...]
    rows: dict[str, list[StandingCause]]

    @property
    def decided(self) -> list[MtfRun]:
        return [run for run in self.runs if run.status == RunStatus.DECIDED]

    def standing(self, symbol: str, runs: Sequence[MtfRun]) -> list[StandingCause | None]:
        """The row that stood at the end of each of `runs`; None where there was none."""
        rows = self.rows.get(symbol, [])
        written = _stamps([row.created_at for row in rows])
        ended = _stamps([run.finished_at for run in runs if run.finished_at is not None])
        newest = np.searchsorted(written, ended, side="right") - 1
        return [rows[at] if at >= 0 else None for at in newest.tolist()]


def lived(profile: str, symbols: Sequence[str] | None, start: datetime, end: datetime) -> Lived:
    """What `profile` decided in the minutes of [start, end); without `symbols` of every listed one."""
    found = MtfRun.objects.filter(
        profile=profile, trigger=Trigger.BEAT, minute__gte=start, minute__lt=end
    ).defer("result", "options")
    runs = tuple(found.order_by("minute"))
    asked = [one.symbol for one in market.contracts()] if symbols is None else list(symbols)
    ends = [run.finished_at for run in runs if run.status == RunStatus.DECIDED and run.finished_at]
    if not ends:
        return Lived(profile, runs, {})
    rows = {symbol: [row] for symbol, row in audit.standing_causes(profile, asked, min(ends)).items()}
    for row in audit.causes_between(profile, asked, min(ends), max(ends)):
        rows.setdefault(row.symbol, []).append(row)
    return Lived(profile, runs, rows)


def _stamps(moments: Sequence[datetime]) -> Ints:
    """Whole microseconds since 1970: exact, and one array."""
    return np.array([round(moment.timestamp() * 1_000_000) for moment in moments], dtype=np.int64)
