"""A recorded stretch made endless: repeated before and after itself without a jump, by index arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apps.exchange.simulator.tape.code import CLOSE, HIGH, LOW, OPEN, VOLUME, Matrix


@dataclass(frozen=True, slots=True)
class Chain:
    """Candles of one length at any index: `middle` begins at `first`, `before` and `after` repeat."""

    before: Matrix
    middle: Matrix
    after: Matrix
    first: int

    def candles(self, first: int, count: int) -> Matrix:
        """int64 (5, count), from index `first` on (candles since 1970)."""
        at = np.arange(first - self.first, first - self.first + count)
        length = self.middle.shape[1]
        head, tail = np.searchsorted(at, [0, length])
        return np.concatenate(
            [
                np.take(self.before, at[:head], axis=1, mode="wrap"),
                self.middle[:, at[head:tail]],
                np.take(self.after, at[tail:] - length, axis=1, mode="wrap"),
            ],
            axis=1,
        )

    def rolled_up(self, factor: int) -> Chain:
        """The chain of candles `factor` times as long. Raises ValueError unless it divides a period."""
        period = self.before.shape[1]
        if period % factor or self.after.shape[1] != period:
            raise ValueError(f"{factor} candles do not divide a period of {period}")
        first = self.first // factor
        end = -(-(self.first + self.middle.shape[1]) // factor)
        return Chain(
            before=rolled_up(self.candles(first * factor - period, period), factor),
            middle=rolled_up(self.candles(first * factor, (end - first) * factor), factor),
            after=rolled_up(self.candles(end * factor, period), factor),
            first=first,
        )

    def shifted(self, count: int) -> Chain:
        """The same candles, `count` indexes earlier."""
        return Chain(self.before, self.middle, self.after, self.first - count)


def chained(tape: Matrix, first: int) -> Chain:
    """The endless chain of a tape that begins at index `first`.

    A repeat has the tape's mean log return taken out minute by minute from all four prices, so it ends where
    it began: every repeat before ends at the tape's first open, every repeat after begins at its last close.
    Prices are snapped to the tick; one factor for all four keeps low <= open, close <= high. Volumes repeat.
    """
    minutes = tape.shape[1]
    growth = tape[CLOSE, -1] / tape[OPEN, 0]
    detrend = growth ** (-np.arange(1, minutes + 1) / minutes)
    return Chain(_scaled(tape, detrend), tape, _scaled(tape, detrend * growth), first)


def rolled_up(candles: Matrix, factor: int) -> Matrix:
    """Each `factor` candles as one: first open, highest, lowest, last close, total volume."""
    groups = candles.reshape(5, -1, factor)
    return np.stack(
        [
            groups[OPEN, :, 0],
            groups[HIGH].max(axis=1),
            groups[LOW].min(axis=1),
            groups[CLOSE, :, -1],
            groups[VOLUME].sum(axis=1),
        ]
    )


def _scaled(tape: Matrix, factor: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Matrix:
    prices = np.maximum(np.rint(tape[:VOLUME] * factor), 1).astype(np.int64)
    return np.concatenate([prices, tape[VOLUME:]])
