"""The root of our exceptions, and the hint that an error about a misspelt name gives.

Each exception is defined beside what raises it. "No trade" is a Refusal instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class TradingError(Exception):
    """A fault that someone must look at. `retryable` says whether the same call may succeed later."""

    retryable = False


def nearest_name(name: str, valid: Iterable[str]) -> str | None:
    """Return the valid name most like `name`, None when none is."""
    matches = get_close_matches(name[:80], [str(each) for each in valid], n=1, cutoff=0.5)
    return matches[0] if matches else None


def suggestion(name: str, valid: Iterable[str]) -> str:
    """Return "; nearest: 'x'" for the valid name most like `name`, "" when none is."""
    match = nearest_name(name, valid)
    return f"; nearest: {match!r}" if match else ""
