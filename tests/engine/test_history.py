"""A history says at every moment what the live minute says on the same candles, holes included."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from apps.engine.cycle import replay
from apps.engine.evaluate.judgement import UNDECIDED, PastJudgement
from apps.engine.frame import Windows, windows
from apps.engine.indicators import talib_columns
from apps.engine.indicators.history import history
from apps.engine.profile import Profile
from apps.engine.values.position import Side
from apps.engine.values.reason import Reason
from apps.engine.values.timeframe import WINDOW, Timeframe
from tests.engine.market import UNTIL, walk
from tests.engine.past import live_frames, verdict_at, window_at

M1, M5, M15, H1, H4, D1 = Timeframe
MINUTE_MS = M1.ms
COUNTS = {M15: 1700, M5: 2600, M1: 3600}
"""Candles per timeframe: more than two windows."""
ITEMS = {
    "long": [
        "rsi > 45",
        "rising(macd_hist, 1) or crossed_above(close, ema9, within=9)",
        "close[7] < bb_upper",
    ],
    "short": ["rsi < 55", "close < vwap or stoch_rsi_k < 50", 'on("15m", adx[3]) > 15'],
}


def stretches(
    *, seed: int = 1, lost: dict[Timeframe, list[tuple[int, int]]] | None = None
) -> dict[Timeframe, Windows]:
    """Random walks that all end at UNTIL; `lost[timeframe]` are the [first, stop) columns that are absent."""
    stored = {}
    for timeframe, count in COUNTS.items():
        candles = walk(1, count, seed=seed + timeframe.seconds)
        for first, stop in (lost or {}).get(timeframe, []):
            candles[:, :, first:stop] = np.nan
        stored[timeframe] = windows(("BTCUSDT",), timeframe, UNTIL, candles)
    return stored


def profile(**changes: Any) -> Profile:
    content = {
        "name": "tiny",
        "validation_mode": "pragmatic",
        "context_timeframes": ["15m", "5m"],
        "execution_timeframes": ["5m", "1m"],
        "grace_s": 0,
        "timeframes": {
            "15m": {"long": ["ema9 > ema21"], "short": ["ema9 < ema21"]},
            "5m": ITEMS,
            "1m": ITEMS,
        },
        "filters_mandatory": {"1m": {"long": ["volume_ratio > 0.3"], "short": ["bearish_divergence < 1"]}},
        "selection": {"5m": {"drop_to_lower_if_any": ["rsi > 62", "rsi < 38"]}},
    }
    return Profile.load(content | changes, {}, "tiny.yaml")


def last_minutes(count: int) -> Any:
    end = int(UNTIL.timestamp()) * 1000
    return end - np.arange(count - 1, -1, -1, dtype=np.int64) * MINUTE_MS


UNUSABLE = {Reason.NO_KLINES, Reason.CANDLE_LATE, Reason.CANDLE_GAP, Reason.NOT_ENOUGH_KLINES}
HOLES = {
    M1: [(0, 40), (120, 121), (300, 302), (700, 706), (1200, 2700), (2760, 2761), (2764, 2790), (3000, 3003)],
    M5: [(0, 10), (400, 401), (900, 903), (1500, 1504), (2100, 2400), (2520, 2521)],
    M15: [(0, 700), (1000, 1002), (1200, 1201), (1600, 1601), (1695, 1697)],
}
"""No stretch between two of them is as long as a window: then live's indicators begin where history's do."""


def test_at_every_kind_of_moment_the_verdict_is_lives_to_the_last_bit() -> None:
    candles, by = stretches(lost=HOLES), profile()
    closes = last_minutes(3400)
    replayed = replay(history(candles, by.columns), by, closes)
    edges = [
        first + offset for first, stop in HOLES[M1] for offset in (-1, 0, 1, stop - first, stop - first + 3)
    ]
    picked = {row - (COUNTS[M1] - len(closes)) for row in edges} | set(np.linspace(0, 3399, 130).astype(int))
    picked |= set(np.flatnonzero(replayed.ready)[::7].tolist())
    for row in sorted(picked & set(range(len(closes)))):
        at_ms = int(closes[row])
        assert replayed.verdict(row) == verdict_at(live_frames(candles, at_ms), by, at_ms), row
    reasons = {reason for each in replayed.timeframes for reason in each.reason.tolist()}
    assert reasons >= {
        None,
        Reason.NO_LONG_NO_SHORT,
        Reason.LONG_AND_SHORT,
        Reason.FILTERS_MANDATORY_FAILED,
        Reason.CANDLE_LATE,
        Reason.CANDLE_GAP,
        Reason.NOT_ENOUGH_KLINES,
        Reason.NO_KLINES,
    }, "the market is too tame to prove anything"
    assert replayed.ready.any()
    assert {M5, M1} <= set(replayed.execution_timeframe.tolist())


def test_an_extra_indicator_begins_anew_after_a_hole_as_in_lives_window() -> None:
    """Where a timeframe may be judged; the first values of a run are the library's own affair."""
    by = profile(
        indicators={"st": {"kind": "supertrend", "length": 10}},
        context_timeframes=["5m"],
        execution_timeframes=["5m"],
        timeframes={"5m": {"long": ["st.supertd > 0"], "short": ["close < st.supert"]}},
        filters_mandatory={},
        selection={},
    )
    candles = {M5: stretches(lost={M5: [(700, 702), (1500, 1504), (2300, 2301)]})[M5]}
    closes = last_minutes(5 * 1600)
    replayed = replay(history(candles, by.columns), by, closes)
    for row in range(0, len(closes), 5 * 53):
        at_ms = int(closes[row])
        ours, live = (
            replayed.verdict(row),
            verdict_at(live_frames(candles, at_ms, by.extra_columns(M5)), by, at_ms),
        )
        assert ours.timeframes[0].reason == live.timeframes[0].reason
        assert ours == live or ours.timeframes[0].reason in UNUSABLE, row
    assert set(replayed.side.tolist()) == {-1, 0, 1}


def test_windows_are_measured_at_every_row_as_live_measures_them() -> None:
    candles = stretches(lost=HOLES)
    frames = history(candles)
    for timeframe, stretch in candles.items():
        for row, at_ms in enumerate(stretch.close_ms.tolist()):
            if row % 7 == 0 or any(abs(row - edge) < 4 for hole in HOLES[timeframe] for edge in hole):
                live = window_at(stretch, at_ms)
                ours = (frames.late, frames.length, frames.gap)
                assert [each[timeframe][row] for each in ours] == [
                    live.late[0],
                    live.length[0],
                    live.gap[0],
                ], (
                    timeframe,
                    row,
                )


def test_a_hole_is_late_while_it_lasts_and_a_gap_until_enough_candles_follow_one_another() -> None:
    by = profile(selection={})
    replayed = replay(history(stretches(lost={M5: [(2000, 2003)]}), by.columns), by, last_minutes(3))
    context = replayed.timeframes[1]
    reasons = context.reason
    assert set(reasons[2000:2003]) == {Reason.CANDLE_LATE}
    assert set(reasons[2003 : 2003 + 249]) == {Reason.CANDLE_GAP}
    assert not {Reason.CANDLE_GAP, Reason.CANDLE_LATE} & set(reasons[2003 + 249 :])
    assert not context.grace.any()


def test_indicators_begin_anew_after_a_hole() -> None:
    """A row after a hole is what the candles since the hole alone give, and knows nothing before."""
    whole = stretches(lost={M5: [(1000, 1001)]})[M5]
    since = windows(whole.symbols, M5, whole.until, whole.candles[:, :, 1001:])
    ours, theirs = (history({M5: each}).frames[M5].columns for each in (whole, since))
    for name, values in ours.items():
        np.testing.assert_array_equal(values[:, 1001:], theirs[name], name)
        assert np.isnan(values[0, 1000]), name


def test_an_outcome_stands_until_the_timeframes_next_close() -> None:
    by = profile()
    closes = last_minutes(600)
    replayed = replay(history(stretches(), by.columns), by, closes)
    for each in replayed.timeframes:
        opens = each.candle_open_ms[replayed.rows[each.timeframe]]
        assert (opens == closes - closes % each.timeframe.ms - each.timeframe.ms).all()


def test_what_is_ready_names_its_side_timeframe_and_deciding_candle() -> None:
    by = profile()
    replayed = replay(history(stretches(), by.columns), by, last_minutes(1500))
    rows = np.flatnonzero(replayed.ready)
    assert len(rows) > 20
    for row in rows[:20].tolist():
        verdict = replayed.verdict(row)
        assert verdict.candle_open_at is not None
        assert verdict.candle_open_at.timestamp() * 1000 == replayed.candle_open_ms[row]
        assert verdict.execution_timeframe == replayed.execution_timeframe[row]
        assert verdict.score == replayed.score[row]
        assert verdict.side == (Side.LONG if replayed.side[row] == 1 else Side.SHORT)
    assert set(replayed.candle_open_ms[~replayed.ready].tolist()) == {UNDECIDED}


def test_the_leaves_of_every_candle_are_kept() -> None:
    by = profile()
    replayed = replay(history(stretches(), by.columns), by, last_minutes(10))
    for each in replayed.timeframes:
        count = COUNTS[each.timeframe]
        table = each.leaves
        assert {len(array) for array in (*table.left, *table.right, *table.truth)} == {count}
        assert len(table.leaves) == len(table.truth) > 0


def test_only_the_wanted_columns_are_computed_and_are_the_same() -> None:
    candles = stretches()
    whole, part = history(candles), history(candles, {M5: {"macd_hist", "bearish_divergence", "ma9"}})
    assert set(part.frames) == {M5}
    assert set(part.frames[M5].columns) == {"close", "macd_hist", "bearish_divergence", "ma9"}
    for name, values in part.frames[M5].columns.items():
        np.testing.assert_array_equal(values, whole.frames[M5].columns[name], name)


@pytest.mark.parametrize("name", ["rsi14", "pivot"])
def test_a_column_that_does_not_exist_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match=f"5m has no column {name}"):
        history({M5: stretches()[M5]}, {M5: {name}})


def test_pivots_of_a_day_older_than_the_window_are_unknown_as_in_live() -> None:
    days = windows(("BTCUSDT",), D1, D1.floor(UNTIL), walk(1, 70))
    by = profile(
        context_timeframes=["5m"],
        execution_timeframes=["5m"],
        timeframes={"5m": {"long": ["pivot[29] > 0"], "short": ["pivot[30] > 0"]}},
        filters_mandatory={},
        selection={},
    )
    candles = {M5: stretches()[M5], D1: days}
    replayed = replay(history(candles, by.columns), by, last_minutes(5))
    verdict = replayed.verdict(4)
    at_ms = int(replayed.closes_ms[4])
    assert verdict == verdict_at(live_frames(candles, at_ms), by, at_ms)
    assert [leaf.held for leaf in verdict.timeframes[0].leaves] == [True, None]


def test_indicators_that_raise_leave_a_named_error_and_no_side(monkeypatch: pytest.MonkeyPatch) -> None:
    def poisoned(*_: Any) -> Any:
        raise RuntimeError("poison")

    monkeypatch.setattr(talib_columns, "series_columns", poisoned)
    by = profile()
    replayed = replay(history(stretches(), by.columns), by, last_minutes(30))
    assert replayed.frames.failed[M5] == {"BTCUSDT"}
    assert set(replayed.timeframes[0].reason[WINDOW[M15] :]) == {Reason.INDICATOR_ERROR}
    assert not replayed.ready.any()


def test_a_moment_without_candles_is_an_error_that_says_which_there_are() -> None:
    by, frames = profile(), history(stretches())
    late = last_minutes(2) + 20 * MINUTE_MS
    with pytest.raises(
        ValueError, match=r"no 15m candle is at hand: the frame's close from 2025-05-17 03:15"
    ):
        replay(frames, by, late)


def test_several_symbols_are_no_history() -> None:
    two = windows(("A", "B"), M5, UNTIL, walk(2, 300))
    with pytest.raises(ValueError, match="one symbol, not of 2"):
        history({M5: two})


def told_of(by: Profile, candles: dict[Timeframe, Windows], closes: Any) -> PastJudgement:
    return replay(history(candles, by.columns), by, closes)


def test_cutting_the_future_off_changes_no_row() -> None:
    """Moments, codes, scores and leaves of a stretch that ends earlier are those of the longer one."""
    by, lost = profile(), {M1: [(2000, 2003)], M5: [(1500, 1501)]}
    whole = stretches(lost=lost)
    closes = last_minutes(1200)
    full = told_of(by, whole, closes)
    for minutes in (1, 4, 15, 61, 777):
        cut_ms = int(closes[-1]) - minutes * MINUTE_MS
        past = {
            timeframe: windows(
                each.symbols,
                timeframe,
                timeframe.floor(UNTIL - timedelta(minutes=minutes)),
                each.candles[:, :, each.close_ms <= cut_ms],
            )
            for timeframe, each in whole.items()
        }
        part = told_of(by, past, closes[closes <= cut_ms])
        rows_before = len(part.closes_ms)
        for ours, theirs in (
            (part.side, full.side),
            (part.reason_code, full.reason_code),
            (part.execution_index, full.execution_index),
            (part.score, full.score),
            (part.candle_open_ms, full.candle_open_ms),
        ):
            np.testing.assert_array_equal(ours, theirs[:rows_before])
        assert part.verdict(rows_before - 1) == full.verdict(rows_before - 1)
