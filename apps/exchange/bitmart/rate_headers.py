"""The rate-limit headers of each answer. `Remaining` counts the requests already used, despite its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_RESET_S = 2.0


@dataclass(frozen=True, slots=True)
class RateHeaders:
    """Calls used and allowed in the window, None where not sent; `reset_s` is the window's length."""

    used: int | None
    limit: int | None
    reset_s: float

    @property
    def used_up(self) -> bool:
        """Nothing may be sent before the window ends, whatever our own count says."""
        return self.used is not None and self.limit is not None and self.used >= self.limit > 0


def rate_headers(headers: Mapping[str, str]) -> RateHeaders:
    return RateHeaders(
        _whole(headers.get("X-BM-RateLimit-Remaining")),
        _whole(headers.get("X-BM-RateLimit-Limit")),
        float(_whole(headers.get("X-BM-RateLimit-Reset")) or DEFAULT_RESET_S),
    )


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
