"""The outcome of a comparison: counts, and every difference with its probable reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The probable reason of a difference."""

    LATE_CANDLE = "late_candle"
    CORRECTED_CANDLE = "corrected_candle"
    WARM_UP = "warm_up"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Difference:
    """`live` and `replay` are the decisions in words; `why` names what probably made them differ."""

    minute: datetime
    symbol: str
    live: str
    replay: str
    kind: Kind
    why: str

    def to_json(self) -> dict[str, Any]:
        return {
            "minute": self.minute.isoformat(),
            "symbol": self.symbol,
            "live": self.live,
            "replay": self.replay,
            "kind": str(self.kind),
            "why": self.why,
        }


@dataclass(frozen=True)
class Divergence:
    """One profile over [start, end). Counts are of minutes × symbols; `not_comparable` by why not.

    `runs` counts the stretch's minutes by what became of their run; `digests` are the versions that ran.
    """

    profile: str
    start: datetime
    end: datetime
    symbols: tuple[str, ...]
    digests: tuple[str, ...]
    runs: Counter[str]
    equal: int
    not_comparable: Counter[str]
    differences: tuple[Difference, ...]

    @property
    def kinds(self) -> Counter[str]:
        """How many differences have which probable reason."""
        return Counter(str(one.kind) for one in self.differences)

    @property
    def unexplained(self) -> int:
        return self.kinds[Kind.UNEXPLAINED]

    def to_json(self) -> dict[str, Any]:
        return {
            "profile": self.profile,
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "symbols": list(self.symbols),
            "digests": list(self.digests),
            "runs": dict(self.runs),
            "equal": self.equal,
            "different": len(self.differences),
            "different_by_kind": dict(self.kinds),
            "unexplained": self.unexplained,
            "not_comparable": dict(self.not_comparable),
            "differences": [one.to_json() for one in self.differences],
        }
