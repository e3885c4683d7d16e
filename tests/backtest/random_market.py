"""Markets that remember nothing: geometric Brownian motion without drift, on the recorded contracts' terms.

Each contract keeps its tick, its size, its price when trading begins, its mean volatility of a minute and the
spread of its volumes; everything else of the recorded market is thrown away. What comes is independent of
what was, so nothing can be foretold, and before costs nobody earns or loses but by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from apps.backtest.source import CandleRange, RecordedSource
from apps.engine.frame import Floats
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.state import State
from apps.exchange.simulator.tape.code import CLOSE, HIGH, LOW, OPEN, VOLUME, Matrix
from apps.exchange.simulator.tape.read import Tape, load

DAY_MINUTES = 1440
STEPS = 6
"""Of a minute, 10 s each: within one, high and low are drawn by the exact law of each."""
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
WARM_UP = timedelta(days=-(-WINDOW[Timeframe.H4] // 6) + 1)
"""The longest window lies in it whole: a tape's chained past would repeat the days that are traded."""


def random_market(symbols: Sequence[str], days: int, seed: int) -> RecordedSource:
    """`days` to trade after a warm-up of their own kind; the same seed gives the same market."""
    random = np.random.default_rng(seed)
    warm_up = WARM_UP // timedelta(minutes=1)
    tapes = [_walk(tape, warm_up, days * DAY_MINUTES, random) for tape in load(only=symbols)]
    start = FIRST + WARM_UP
    names = tuple(tape.listing.symbol for tape in tapes)
    range_ = CandleRange(names, start, start + timedelta(days=days))
    return RecordedSource(range_, Archive(tapes, len(tapes), State(FIRST.date(), day=0)))


def _walk(tape: Tape, warm_up: int, minutes: int, random: np.random.Generator) -> Tape:
    """The price is the recorded one at minute `warm_up`."""
    close = np.log(tape.candles[CLOSE])
    prices = _minutes(warm_up + minutes, float(np.diff(close).std()), random)
    prices *= tape.candles[OPEN, 0] / prices[OPEN, warm_up]
    candles = np.concatenate(
        [np.maximum(np.rint(prices), 1), _volumes(tape.candles, prices.shape[1], random)]
    )
    return replace(tape, first_minute=int(FIRST.timestamp()) // 60, candles=candles.astype(np.int64))


def _minutes(count: int, deviation: float, random: np.random.Generator) -> Floats:
    """Open, high, low and close (4, count); `deviation` is that of a minute's log return.

    The expected price is the present one. High and low of a step: Glasserman, Monte Carlo Methods in
    Financial Engineering (2004), 6.4: the maximum of a Brownian bridge.
    """
    variance = deviation**2 / STEPS
    steps = random.normal(-variance / 2, np.sqrt(variance), count * STEPS)
    after = np.cumsum(steps)
    before = after - steps
    reach = [np.sqrt(steps**2 - 2 * variance * np.log(random.random(len(steps)))) for _ in (HIGH, LOW)]
    highs, lows = (before + after + reach[0]) / 2, (before + after - reach[1]) / 2
    shape = (count, STEPS)
    minutes = [
        before.reshape(shape)[:, 0],
        highs.reshape(shape).max(axis=1),
        lows.reshape(shape).min(axis=1),
        after.reshape(shape)[:, -1],
    ]
    prices: Floats = np.exp(np.stack(minutes))
    return prices


def _volumes(recorded: Matrix, count: int, random: np.random.Generator) -> Floats:
    """Log-normal with the mean and the deviation of the logarithms recorded."""
    traded = np.log(recorded[VOLUME][recorded[VOLUME] > 0])
    drawn: Floats = np.exp(random.normal(traded.mean(), traded.std(), (1, count)))
    return np.rint(drawn)
