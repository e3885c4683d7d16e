"""Warm windows: every symbol's candles and features in memory, refreshed by what the feed has written."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from apps.engine.frame import Floats, Frame, Frames, Ints, Windows, windows
from apps.engine.indicators.columns import features
from apps.engine.profile import Profile
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.market import store
from apps.market.store import Series
from apps.market.table import CandleTable

SLACK = 120
"""Columns kept free to the right, so that most minutes append without moving anything."""
MIN_DEPTH = 60
"""Rows of features kept at least: the longest lag a rule may ask for."""


@dataclass
class _Track:
    """One timeframe: candles (5, S, capacity), of which `used` columns end at `until`.

    `extras` are columns of extra indicators that profiles read, besides those that every frame has.
    """

    timeframe: Timeframe
    length: int
    depth: int
    candles: Floats
    until: datetime
    used: int
    extras: frozenset[str] = frozenset()
    versions: dict[str, Series] = field(default_factory=dict)
    frame: Frame | None = None
    failed: frozenset[str] = frozenset()
    measured: Windows | None = None

    def view(self) -> Floats:
        return self.candles[:, :, self.used - self.length : self.used]


class Warm:
    """The evaluating worker's candles. One object, one thread.

    `refresh(at)` brings every timeframe to the newest candle closed at `at`; `frames()` is what the cycle
    judges; `unreported(timeframe)` says which rows carry a candle not given to `report` before. `extra_ms`
    is how much of the last refresh went into extra indicators.
    """

    def __init__(self, symbols: Sequence[str], profiles: Sequence[Profile]) -> None:
        self.symbols = tuple(symbols)
        self._row = {symbol: row for row, symbol in enumerate(self.symbols)}
        self._profiles = tuple(profiles)
        self._tracks: dict[Timeframe, _Track] = {}
        self._reported: dict[Timeframe, Ints] = {}
        self.extra_ms = 0.0

    def with_symbols(self, symbols: Sequence[str]) -> Warm:
        """Return windows of `symbols` with a copy of what these hold of them; `refresh` reads what is new."""
        if tuple(symbols) == self.symbols:
            return self
        other = Warm(symbols, self._profiles)
        kept = [symbol for symbol in other.symbols if symbol in self._row]
        before, after = [self._row[s] for s in kept], [other._row[s] for s in kept]
        for timeframe, track in self._tracks.items():
            candles = np.full((5, len(other.symbols), track.candles.shape[2]), np.nan)
            candles[:, after] = track.candles[:, before]
            versions = {symbol: track.versions[symbol] for symbol in kept if symbol in track.versions}
            other._tracks[timeframe] = replace(
                track, candles=candles, versions=versions, frame=None, failed=frozenset(), measured=None
            )
            other._reported[timeframe] = np.zeros(len(other.symbols), dtype=np.int64)
            other._reported[timeframe][after] = self._reported[timeframe][before]
        return other

    def covers(self, symbols: Sequence[str], profile: Profile) -> bool:
        """Whether these windows hold all that judging `symbols` by `profile` needs."""
        deep = all(profile.depth(tf) <= self._depth(tf) for tf in profile.timeframes)
        wide = all(profile.extra_columns(tf) <= self._extras(tf) for tf in profile.timeframes)
        return deep and wide and self._row.keys() >= set(symbols)

    def refresh(self, at: datetime) -> None:
        """Move every axis to `at` and take over what changed in the table since the last call."""
        self.extra_ms = 0.0
        series = store.series()
        for timeframe in WINDOW:
            stored = {s: series[s, timeframe] for s in self.symbols if (s, timeframe) in series}
            until = timeframe.floor(at)
            track = self._tracks.get(timeframe)
            if track is None or until < track.until:
                self._tracks[timeframe] = self._cold_track(timeframe, until, stored)
                self._reported.setdefault(timeframe, np.zeros(len(self.symbols), dtype=np.int64))
                continue
            moved = _move(track, until)
            changed = self._take_over_changes(track, stored)
            if moved or changed or track.frame is None:
                self._measure(track, rows=None if moved else sorted(changed))

    def frames(self) -> Frames:
        """Return everything at the refreshed moment, as the cycle wants it."""
        tracks = self._tracks.items()
        measured = {tf: t.measured for tf, t in tracks if t.measured is not None}
        return Frames(
            symbols=self.symbols,
            frames={tf: t.frame for tf, t in tracks if t.frame is not None},
            late={tf: m.late for tf, m in measured.items()},
            length={tf: m.length for tf, m in measured.items()},
            gap={tf: m.gap for tf, m in measured.items()},
            failed={tf: t.failed for tf, t in tracks},
        )

    def unreported(self, timeframe: Timeframe) -> list[int]:
        """Return the rows whose newest candle closed at the refreshed moment and was not reported before."""
        track = self._tracks[timeframe]
        assert track.measured is not None
        unreported = self._reported[timeframe] != int(track.until.timestamp())
        return [int(row) for row in np.flatnonzero((track.measured.late == 0) & unreported)]

    def report(self, timeframe: Timeframe, rows: Iterable[int]) -> None:
        """Remember that these rows' newest candles were written down."""
        self._reported[timeframe][list(rows)] = int(self._tracks[timeframe].until.timestamp())

    def until(self, timeframe: Timeframe) -> datetime:
        """Return the close time of the newest candle of the axis."""
        return self._tracks[timeframe].until

    def _cold_track(self, timeframe: Timeframe, until: datetime, stored: Mapping[str, Series]) -> _Track:
        length = WINDOW[timeframe]
        capacity = np.full((5, len(self.symbols), length + SLACK), np.nan)
        track = _Track(
            timeframe, length, self._depth(timeframe), capacity, until, length, self._extras(timeframe)
        )
        whole = CandleTable().windows(self.symbols, timeframe, until=until, length=length)
        track.candles[:, :, :length] = whole.candles
        track.versions = _wholly_read(stored, until)
        self._measure(track, rows=None)
        return track

    def _depth(self, timeframe: Timeframe) -> int:
        return max([MIN_DEPTH, *(p.depth(timeframe) for p in self._profiles)])

    def _extras(self, timeframe: Timeframe) -> frozenset[str]:
        return frozenset().union(*(profile.extra_columns(timeframe) for profile in self._profiles))

    def _take_over_changes(self, track: _Track, stored: Mapping[str, Series]) -> set[int]:
        """Read what the feed wrote and return the changed rows.

        Where only the head grew, the newest candles are read, else the whole window.

        A series' version counts its changed rows: as many changes as steps of the head are appends. If one
        of them is a correction, the head moved over a hole: that hides the correction until it is mended.
        """
        grown: dict[tuple[datetime, int], list[str]] = {}
        rewritten: list[str] = []
        for symbol, now in stored.items():
            before = track.versions.get(symbol)
            if before is not None and now.version == before.version:
                continue
            steps = 0 if before is None else (now.last_open - before.last_open) // track.timeframe.duration
            if before is not None and 0 < steps == now.version - before.version <= SLACK:
                grown.setdefault((now.last_open, steps), []).append(symbol)
            else:
                rewritten.append(symbol)
        track.versions = _wholly_read(stored, track.until)
        for (last_open, steps), symbols in grown.items():
            self._append(track, symbols, last_open + track.timeframe.duration, steps)
        if rewritten:
            self._rewrite(track, rewritten)
        return {self._row[s] for s in [*rewritten, *(s for group in grown.values() for s in group)]}

    def _append(self, track: _Track, symbols: list[str], until: datetime, steps: int) -> None:
        """Put the `steps` candles that end at `until` in their columns."""
        end = track.used + (until - track.until) // track.timeframe.duration
        if not track.used - track.length + steps <= end <= track.used:
            self._rewrite(track, symbols)
            return
        newest = CandleTable().windows(symbols, track.timeframe, until=until, length=steps)
        track.candles[:, [self._row[s] for s in symbols], end - steps : end] = newest.candles

    def _rewrite(self, track: _Track, symbols: list[str]) -> None:
        whole = CandleTable().windows(symbols, track.timeframe, until=track.until, length=track.length)
        track.view()[:, [self._row[s] for s in symbols], :] = whole.candles

    def _measure(self, track: _Track, *, rows: list[int] | None) -> None:
        """Recompute features: of every symbol when the axis moved, else of the changed rows only."""
        track.measured = windows(self.symbols, track.timeframe, track.until, track.view())
        before = track.frame
        if rows is None or before is None:
            track.frame, track.failed = features(track.measured, track.depth)
            touched = frozenset(self.symbols)
        else:
            into = dict(before.columns)
            track.frame, failed = features(track.measured, track.depth, rows=rows, into=into)
            touched = frozenset(self.symbols[row] for row in rows)
            track.failed = (track.failed - touched) | failed
        if track.extras:
            began = time.perf_counter()
            track.frame = _with_extras(track, track.frame, before, rows, touched)
            self.extra_ms += (time.perf_counter() - began) * 1000


def _move(track: _Track, until: datetime) -> bool:
    """Advance the axis by empty columns, sliding to the left edge when full; return whether it moved."""
    steps = (until - track.until) // track.timeframe.duration
    if steps == 0:
        return False
    if track.used + steps > track.candles.shape[2]:
        length = max(track.length - steps, 0)
        tail = track.candles[:, :, track.used - length : track.used].copy()
        track.candles.fill(np.nan)
        track.candles[:, :, :length] = tail
        track.used = track.length
    else:
        track.candles[:, :, track.used : track.used + steps] = np.nan
        track.used += steps
    track.until = until
    return True


def _with_extras(
    track: _Track, frame: Frame, before: Frame | None, rows: list[int] | None, touched: frozenset[str]
) -> Frame:
    """`frame` with the extra columns of `touched` computed anew; the other symbols keep those of `before`."""
    assert track.measured is not None
    into = dict(before.columns) if before is not None and rows is not None else None
    fresh, _ = features(track.measured, track.depth, rows=rows, into=into, wanted=track.extras)
    earlier = {} if into is None or before is None else before.raised
    raised = {
        name: (earlier.get(name, frozenset()) - touched) | symbols for name, symbols in fresh.raised.items()
    }
    return replace(frame, columns={**fresh.columns, **frame.columns}, raised=raised)


def _wholly_read(stored: Mapping[str, Series], until: datetime) -> dict[str, Series]:
    """Leave out series that go on past the axis: what lies there is read when the axis has come so far."""
    return {symbol: series for symbol, series in stored.items() if series.last_open < until}
