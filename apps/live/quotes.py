"""The minute and the quote board: whose quotes it wants, and the spreads it judges with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from apps.engine.frame import Frame, Frames
from apps.engine.profile import Profile
from apps.live.cause import Cause
from apps.market import quotes

READY_FOR_S = 600.0
"""READY comes and goes from minute to minute: so long after it a symbol has its quote at once."""
LIKELY_FOR_S = 150.0
"""Until the minute after the next: one that is skipped loses nothing."""


def want_quotes(judged: Iterable[tuple[Profile, Mapping[str, Cause]]]) -> None:
    """Want the quotes of what may be entered: what is READY, and what is likely to be in a minute.

    Likely is a symbol whose context timeframes agree on a side: it lacks an execution timeframe alone. On the
    recorded market 55 to 92 % of what became READY, by profile, was that the minute before. Nothing is wanted
    for what a switch covers, nor for a profile that only judges.
    """
    ready: set[str] = set()
    likely: set[str] = set()
    for profile, causes in judged:
        if profile.entry is not None:
            ready |= {symbol for symbol, cause in causes.items() if cause.is_ready}
            likely |= {symbol for symbol, cause in causes.items() if cause.side is not None}
    quotes.want(ready, READY_FOR_S)
    quotes.want(likely - ready, LIKELY_FOR_S)


def spreads_now(symbols: Iterable[str]) -> dict[str, float]:
    """Return spread_bps of those whose quote is on the board."""
    return {symbol: float(quote.spread_bps) for symbol, quote in quotes.read(symbols).items()}


def with_spreads(frames: Frames, spread_bps: Mapping[str, float]) -> Frames:
    """Return `frames` with these spreads at the newest row, and none known before it or of other symbols."""
    if not spread_bps:
        return frames
    newest = [spread_bps.get(symbol, np.nan) for symbol in frames.symbols]

    def with_column(frame: Frame) -> Frame:
        column = np.full((len(newest), len(frame.close_ms)), np.nan)
        column[:, -1] = newest
        return replace(frame, columns={**frame.columns, "spread_bps": column})

    return replace(
        frames, frames={timeframe: with_column(frame) for timeframe, frame in frames.frames.items()}
    )
