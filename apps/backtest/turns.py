"""Whose turn it is to be entered: READY minutes in time order, without those the books refuse anyway.

A symbol that is locked or cooling down has no turn until it is free; what it missed meanwhile is counted by
the reasons the entry would have given, in the entry's own order of asking.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from apps.backtest.readies import Readies
from apps.engine.frame import Bools, Ints
from apps.engine.values.reason import Reason

LONGEST_MS = 24 * 3600 * 1000
"""No decision stands longer than a candle of the slowest timeframe."""


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """Row `row` of a symbol's READY minutes, to be tried at `at_ms`; symbols of one moment go by `place`."""

    at_ms: int
    place: int
    row: int


class Turns:
    """`latency_ms` is how long after its close a READY minute is tried. `missed` counts those left out."""

    def __init__(self, symbols: Sequence[Readies], latency_ms: int) -> None:
        self.missed: Counter[Reason] = Counter()
        self._symbols = tuple(symbols)
        self._at_ms = [one.at_ms + latency_ms for one in symbols]
        self._place = {one.symbol: place for place, one in enumerate(symbols)}
        self._rows = [self._worth_trying(place) for place in range(len(symbols))]
        self._entered: list[list[int]] = [[] for _ in symbols]
        self._next = [0] * len(symbols)
        self._locked: set[int] = set()
        self._heap: list[Turn] = []
        for place in range(len(symbols)):
            self._queue(place)

    @property
    def at_ms(self) -> int | None:
        """When the next turn is; None when there are no more."""
        return self._heap[0].at_ms if self._heap else None

    def pop(self) -> Turn:
        """The next turn: say then whether it was `refused` or `entered`."""
        return heapq.heappop(self._heap)

    def readies(self, turn: Turn) -> Readies:
        return self._symbols[turn.place]

    def refused(self, turn: Turn) -> None:
        """The symbol's next READY minute is its next turn."""
        self._next[turn.place] += 1
        self._queue(turn.place)

    def entered(self, turn: Turn) -> None:
        """The symbol is locked: it has no turn until it is `freed`."""
        self._next[turn.place] += 1
        self._entered[turn.place].append(turn.row)
        self._locked.add(turn.place)

    def freed(self, symbol: str, now_ms: int, cool_ms: int) -> None:
        """Nothing holds the symbol from now on; it cools down until `cool_ms`."""
        place = self._place[symbol]
        self._locked.discard(place)
        self._miss(place, now_ms, Reason.SYMBOL_LOCKED)
        self._miss(place, cool_ms, Reason.COOLDOWN_ACTIVE)
        self._queue(place)

    def over(self, now_ms: int) -> None:
        """The history ends; what is locked still is free no more."""
        for place in sorted(self._locked):
            self._miss(place, now_ms, Reason.SYMBOL_LOCKED)

    def _worth_trying(self, place: int) -> Ints:
        """The rows that are not too old when their turn comes: their deciding candle closed long ago."""
        one, entry = self._symbols[place], self._symbols[place].profile.entry
        if entry is None or not len(one):
            return np.arange(0)
        limits_ms = np.array([1000 * entry.signal_age_s(each) for each in one.timeframes])
        lasts_ms = np.array([each.ms for each in one.timeframes])
        age_ms = self._at_ms[place] - one.open_ms - lasts_ms[one.timeframe]
        fresh: Bools = age_ms <= limits_ms[one.timeframe]
        self._count(Reason.SIGNAL_TOO_OLD, int((~fresh).sum()))
        return np.flatnonzero(fresh)

    def _queue(self, place: int) -> None:
        at, rows = self._next[place], self._rows[place]
        if at < len(rows):
            row = int(rows[at])
            heapq.heappush(self._heap, Turn(int(self._at_ms[place][row]), place, row))

    def _miss(self, place: int, until_ms: int, reason: Reason) -> None:
        """Pass over the turns before a moment: used-up decisions as such, the others for `reason`."""
        at, rows = self._next[place], self._rows[place]
        stop = at + int(np.searchsorted(self._at_ms[place][rows[at:]], until_ms))
        again = self._used_up(place, rows[at:stop])
        self._count(Reason.DUPLICATE_DECISION, again)
        self._count(reason, stop - at - again)
        self._next[place] = stop

    def _used_up(self, place: int, rows: Ints) -> int:
        """How many of `rows` stand for a decision that was entered before."""
        one = self._symbols[place]
        if not len(rows):
            return 0
        found = np.zeros(len(rows), dtype=bool)
        for entered in reversed(self._entered[place]):
            found |= (
                (one.open_ms[rows] == one.open_ms[entered])
                & (one.timeframe[rows] == one.timeframe[entered])
                & (one.side[rows] == one.side[entered])
            )
            if one.open_ms[entered] < one.open_ms[rows[0]] - LONGEST_MS:
                break
        return int(found.sum())

    def _count(self, reason: Reason, how_many: int) -> None:
        if how_many:
            self.missed[reason] += how_many
