"""Where each symbol stands: what every profile said of it last, and since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.audit import store as audit
from apps.audit.store import READY, StandingCause
from apps.signals.models import MtfState

JUDGED_WITHIN = timedelta(minutes=2)
"""An outcome whose candle ended longer ago is of a symbol nobody judges now."""


@dataclass(frozen=True)
class Row:
    """One symbol; `causes` in the profiles' order, None where that profile has not judged it."""

    symbol: str
    causes: tuple[StandingCause | None, ...]

    @property
    def is_ready(self) -> bool:
        return any(cause is not None and cause.cause == READY for cause in self.causes)


def board(profiles: Sequence[str], now: datetime) -> list[Row]:
    """Every symbol judged now: the ready ones first, each part by name."""
    judged = MtfState.objects.filter(expires_at__gt=now - JUDGED_WITHIN)
    symbols = sorted(set(judged.values_list("symbol", flat=True)))
    standing: list[Mapping[str, StandingCause]] = [
        audit.standing_causes(profile, symbols) for profile in profiles
    ]
    rows = [Row(symbol, tuple(of_profile.get(symbol) for of_profile in standing)) for symbol in symbols]
    return sorted(rows, key=lambda row: not row.is_ready)
