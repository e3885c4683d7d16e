"""Classic floor pivots of a completed UTC day."""

from __future__ import annotations

from apps.engine.frame import CLOSE, HIGH, LOW, Floats
from apps.engine.indicators.tail import tail

PIVOTS = ("pivot", *(f"r{k}" for k in range(1, 7)), *(f"s{k}" for k in range(1, 7)))


def pivots(candles: Floats, depth: int) -> dict[str, Floats]:
    """PIVOTS of 1d candles (5, S, N), each (S, depth): row t is made from the day that closes at t.

    P = (H + L + C) / 3; R1 = 2P - L, R2 = P + (H - L), Rk = H + (k - 1)(P - L) from R3 on, and mirrored S.
    """
    high, low, close = (tail(candles[column], depth) for column in (HIGH, LOW, CLOSE))
    pivot = (high + low + close) / 3
    levels = {"pivot": pivot, "r1": 2 * pivot - low, "s1": 2 * pivot - high}
    levels |= {"r2": pivot + (high - low), "s2": pivot - (high - low)}
    for k in range(3, 7):
        levels[f"r{k}"] = high + (k - 1) * (pivot - low)
        levels[f"s{k}"] = low - (k - 1) * (high - pivot)
    return levels
