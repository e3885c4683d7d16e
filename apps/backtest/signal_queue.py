"""READY minutes in time order, without those the ledger refuses anyway.

A symbol that is locked or cooling down is not queued until it is free; what it missed meanwhile is counted by
the reasons the entry would have given, in the entry's own order of asking.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from apps.backtest.entry_signals import EntrySignals
from apps.engine.frame import Bools, Ints
from apps.engine.values.reason import Reason

LONGEST_MS = 24 * 3600 * 1000
"""No decision stands longer than a candle of the slowest timeframe."""


@dataclass(frozen=True, slots=True, order=True)
class QueuedSignal:
    """Row `row` of a symbol's READY minutes, to be tried at `at_ms`; symbols of one moment go by `place`."""

    at_ms: int
    place: int
    row: int


class SignalQueue:
    """`latency_ms` is how long after its close a READY minute is tried. `missed` counts those left out."""

    def __init__(self, symbols: Sequence[EntrySignals], latency_ms: int) -> None:
        self.missed: Counter[Reason] = Counter()
        self._symbols = tuple(symbols)
        self._at_ms = [signals.at_ms + latency_ms for signals in symbols]
        self._place = {signals.symbol: place for place, signals in enumerate(symbols)}
        self._rows: list[Ints] = []
        for signals, at_ms in zip(symbols, self._at_ms, strict=True):
            entry = signals.profile.entry
            if entry is None or not len(signals):
                self._rows.append(np.arange(0))
                continue
            # those not too old when they are tried, however long ago their candle closed
            limits_ms = np.array([1000 * entry.signal_age_s(timeframe) for timeframe in signals.timeframes])
            candle_ms = np.array([timeframe.ms for timeframe in signals.timeframes])
            age_ms = at_ms - signals.open_ms - candle_ms[signals.timeframe]
            fresh: Bools = age_ms <= limits_ms[signals.timeframe]
            self._count(Reason.SIGNAL_TOO_OLD, int((~fresh).sum()))
            self._rows.append(np.flatnonzero(fresh))
        self._entered: list[list[int]] = [[] for _ in symbols]
        self._next = [0] * len(symbols)
        self._locked: set[int] = set()
        self._heap: list[QueuedSignal] = []
        for place in range(len(symbols)):
            self._push_next(place)

    @property
    def next_at_ms(self) -> int | None:
        """When the next signal is tried; None when there are no more."""
        return self._heap[0].at_ms if self._heap else None

    def pop(self) -> QueuedSignal:
        """Take the next signal: call `mark_refused` or `mark_entered` with it then."""
        return heapq.heappop(self._heap)

    def signals(self, queued: QueuedSignal) -> EntrySignals:
        return self._symbols[queued.place]

    def mark_refused(self, queued: QueuedSignal) -> None:
        """Queue the symbol's next READY minute."""
        self._next[queued.place] += 1
        self._push_next(queued.place)

    def mark_entered(self, queued: QueuedSignal) -> None:
        """Lock the symbol: nothing of it is queued until `release_symbol`."""
        self._next[queued.place] += 1
        self._entered[queued.place].append(queued.row)
        self._locked.add(queued.place)

    def release_symbol(self, symbol: str, now_ms: int, cool_ms: int) -> None:
        """Queue the symbol again, from the end of its cooldown at `cool_ms` on."""
        place = self._place[symbol]
        self._locked.discard(place)
        self._skip_until(place, now_ms, Reason.SYMBOL_LOCKED)
        self._skip_until(place, cool_ms, Reason.COOLDOWN_ACTIVE)
        self._push_next(place)

    def close(self, now_ms: int) -> None:
        """Count what is left at the end of the past; what is locked still is free no more."""
        for place in sorted(self._locked):
            self._skip_until(place, now_ms, Reason.SYMBOL_LOCKED)

    def _push_next(self, place: int) -> None:
        at, rows = self._next[place], self._rows[place]
        if at < len(rows):
            row = int(rows[at])
            heapq.heappush(self._heap, QueuedSignal(int(self._at_ms[place][row]), place, row))

    def _skip_until(self, place: int, until_ms: int, reason: Reason) -> None:
        """Pass over the signals before a moment: entered decisions as such, the others for `reason`."""
        at, rows = self._next[place], self._rows[place]
        stop = at + int(np.searchsorted(self._at_ms[place][rows[at:]], until_ms))
        self._next[place] = stop
        rows = rows[at:stop]
        if not len(rows):
            return
        signals = self._symbols[place]
        consumed = np.zeros(len(rows), dtype=bool)
        for entered in reversed(self._entered[place]):
            consumed |= (
                (signals.open_ms[rows] == signals.open_ms[entered])
                & (signals.timeframe[rows] == signals.timeframe[entered])
                & (signals.side[rows] == signals.side[entered])
            )
            if signals.open_ms[entered] < signals.open_ms[rows[0]] - LONGEST_MS:
                break
        self._count(Reason.DUPLICATE_DECISION, int(consumed.sum()))
        self._count(reason, len(rows) - int(consumed.sum()))

    def _count(self, reason: Reason, count: int) -> None:
        if count:
            self.missed[reason] += count
