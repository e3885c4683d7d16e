"""How the R multiples are spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from math import floor

WIDTHS = tuple(Decimal(width) for width in ("0.1", "0.25", "0.5", "1", "2", "5", "10", "50", "100", "1000"))
MOST = 40
"""Bins a histogram still shows apart."""


def bins(multiples: Sequence[Decimal]) -> list[tuple[Decimal, Decimal, int]]:
    """Every bin from the lowest to the highest multiple as (from, up to but without, how many)."""
    if not multiples:
        return []
    span = max(multiples) - min(multiples)
    width = next((width for width in WIDTHS if span / width < MOST), span / MOST)
    counts = Counter(floor(each / width) for each in multiples)
    return [
        (number * width, (number + 1) * width, counts[number])
        for number in range(min(counts), max(counts) + 1)
    ]
