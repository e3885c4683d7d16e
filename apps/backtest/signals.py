"""What a profile said of one symbol at every minute of a source."""

from __future__ import annotations

from apps.backtest.source import Source
from apps.engine.cycle import replay
from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.indicators.history import history
from apps.engine.profile import Profile


def signals(source: Source, symbol: str, profile: Profile) -> PastJudgement:
    """Judge `symbol` at every 1m close of the range asked for, from its own candles in every timeframe.

    The frames hold what the profile's rules and its entry read. Raises what the source raises.
    """
    columns = profile.columns
    frames = history(source.stretch(symbol, columns), columns)
    return replay(frames, profile, source.asked.closes_ms)
