"""Shipped profiles over the recorded market: the past says what live said, and the future is not in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml

from apps.backtest.entry_signals import judge_past
from apps.backtest.source import CandleRange, open_recorded
from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.frame import Frames
from apps.engine.indicators.history import history
from apps.engine.rules.condition import UNKNOWN_METRICS, read_conditions
from apps.engine.rules.rule_input import RuleInput
from apps.engine.values.timeframe import VALIDATION, WINDOW, Timeframe
from apps.profiles.files import load_profiles, profile_names
from tests.backtest.leaf_margins import differences
from tests.engine.past import cut_frames, live_frames, verdict_at

PROFILES = Path(__file__).resolve().parents[2] / "profiles"
SHIPPED = {profile.name: profile for profile in load_profiles(PROFILES, profile_names(PROFILES))}
CATALOGUE, _ = read_conditions(yaml.safe_load((PROFILES / "conditions.yaml").read_text("utf-8")))
SYMBOL = "LAYERUSDT"
START, END = datetime(2025, 5, 13, 22, 30, tzinfo=UTC), datetime(2025, 5, 15, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def candle_range(start: datetime = START, end: datetime = END, warm_up: int = 1) -> CandleRange:
    return CandleRange((SYMBOL,), start, end, warm_up)


@cache
def past_of(name: str) -> PastJudgement:
    return judge_past(open_recorded(candle_range()), SYMBOL, SHIPPED[name])


def moments() -> list[int]:
    """Rows around every 4h boundary, the days' among them, and others by chance."""
    boundaries = [
        (edge - START) // MINUTE + offset
        for edge in (Timeframe.H4.floor(START) + n * Timeframe.H4.duration for n in range(1, 9))
        for offset in (-1, 0, 1, 2)
    ]
    by_chance = np.random.default_rng(11).integers(0, (END - START) // MINUTE, 25).tolist()
    return sorted({row for row in (*boundaries, *by_chance) if 0 <= row < (END - START) // MINUTE})


@pytest.mark.parametrize("name", SHIPPED)
def test_the_verdict_is_what_live_says_of_the_same_columns(name: str) -> None:
    past, candles = past_of(name), open_recorded(candle_range()).windows(SYMBOL, SHIPPED[name].columns)
    for row in moments() + np.flatnonzero(past.ready)[:10].tolist():
        at_ms = int(past.closes_ms[row])
        live = verdict_at(cut_frames(past.frames, candles, at_ms), SHIPPED[name], at_ms)
        assert past.verdict(row) == live, row


@pytest.mark.parametrize("name", SHIPPED)
def test_the_outcomes_are_what_live_says_from_its_own_windows(name: str) -> None:
    """Live settles its indicators over a window: not a leaf of these moments is near enough to mind."""
    profile, past = SHIPPED[name], past_of(name)
    candles = open_recorded(candle_range()).windows(SYMBOL, profile.columns)
    for row in moments()[::4]:
        at_ms = int(past.closes_ms[row])
        ours, live = past.verdict(row), verdict_at(live_frames(candles, at_ms), profile, at_ms)
        assert (ours.is_ready, ours.side, ours.reason, ours.execution_timeframe, ours.candle_open_at) == (
            live.is_ready,
            live.side,
            live.reason,
            live.execution_timeframe,
            live.candle_open_at,
        )
        held = [[leaf.held for leaf in outcome.leaves] for outcome in ours.timeframes]
        assert held == [[leaf.held for leaf in outcome.leaves] for outcome in live.timeframes]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_doubled_warm_up_changes_nothing_that_is_not_near_a_threshold(name: str) -> None:
    longer = judge_past(open_recorded(candle_range(warm_up=2)), SYMBOL, SHIPPED[name])
    assert differences(past_of(name), longer).unexplained == []


@cache
def frames_until(end: datetime) -> Frames:
    source = open_recorded(candle_range(end=end))
    return history(source.windows(SYMBOL, WINDOW))


CUTS = [END - timedelta(minutes=int(n)) for n in np.random.default_rng(5).integers(1, 1500, 4)]


@pytest.mark.parametrize("cut", CUTS)
def test_no_column_sees_the_future(cut: datetime) -> None:
    past, whole = frames_until(cut), frames_until(END)
    for timeframe in WINDOW:
        known, full = past.frames[timeframe], whole.frames[timeframe]
        count = len(known.close_ms)
        assert known.close_ms.tolist() == full.close_ms[:count].tolist()
        for name, values in known.columns.items():
            np.testing.assert_array_equal(values, full.columns[name][:, :count], f"{timeframe} {name}")


@pytest.mark.parametrize("cut", CUTS[:2])
@pytest.mark.parametrize("timeframe", VALIDATION)
def test_no_condition_of_the_catalogue_sees_the_future(timeframe: Timeframe, cut: datetime) -> None:
    past, whole = (_truths(timeframe, end) for end in (cut, END))
    answered = 0
    for name, truths in past.items():
        np.testing.assert_array_equal(truths, whole[name][: len(truths)], name)
        answered += len(set(truths.tolist()) - {0}) == 2
    assert answered > len(CATALOGUE) / 3, "the market is too dull: hardly a condition is both true and false"


@cache
def _truths(timeframe: Timeframe, end: datetime) -> dict[str, np.ndarray[tuple[int], np.dtype[np.int8]]]:
    frames = frames_until(end).frames
    view = RuleInput(frames, timeframe, rows=len(frames[timeframe].close_ms))
    with np.errstate(all="ignore"):  # not finite is unknown
        return {
            name: view.flat(condition.logic({}, UNKNOWN_METRICS).truth(view))
            for name, condition in CATALOGUE.items()
        }


@pytest.mark.parametrize("name", SHIPPED)
def test_no_verdict_sees_the_future(name: str) -> None:
    whole = past_of(name)
    for cut in CUTS:
        part = judge_past(open_recorded(candle_range(end=cut)), SYMBOL, SHIPPED[name])
        count = len(part.closes_ms)
        np.testing.assert_array_equal(part.reason_code, whole.reason_code[:count])
        np.testing.assert_array_equal(part.execution_index, whole.execution_index[:count])
        np.testing.assert_array_equal(part.score, whole.score[:count])
        assert part.verdict(count - 1) == whole.verdict(count - 1)
