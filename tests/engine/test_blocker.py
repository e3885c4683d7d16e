"""What stood in the way: items of a side that alone were missing, and timeframes that alone were."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.engine.cycle import replay
from apps.engine.evaluate.blocker import blockers, item_text, rule_items
from apps.engine.evaluate.judgement import PastJudgement
from apps.engine.evaluate.outcome import Outcome
from apps.engine.evaluate.timeframe import TimeframeOutcome
from apps.engine.frame import Frame, Frames
from apps.engine.profile import Profile
from apps.engine.values.position import Side
from apps.engine.values.timeframe import Timeframe
from tests.engine.frame_builder import AT, M1, M5, M15, NAN, frame

YES, NO = 2.0, 0.0
ALWAYS = "close > 0"

Candles = Sequence[Sequence[float]]
"""A row a candle: values of rsi, adx, atr and ema9; an item holds where one is above 1."""


def profile(
    side: Sequence[Any],
    filters: Sequence[Any] = (),
    *,
    mode: str = "pragmatic",
    context: str = "5m",
    short: Sequence[Any] = (),
) -> Profile:
    """Long on every timeframe by `side`, with `filters`; short by `short`."""
    names = [*context.split(), "1m"]
    return Profile.load(
        {
            "name": "test",
            "validation_mode": mode,
            "context_timeframes": context.split(),
            "execution_timeframes": ["1m"],
            "timeframes": {name: {"long": list(side), "short": list(short)} for name in names},
            "filters_mandatory": {name: {"long": list(filters)} for name in names if filters},
        },
        {},
        "test",
    )


def over(*frames: Frame) -> Frames:
    """One symbol's stretch without holes, every candle with a full window behind it."""
    lengths = {frame.timeframe: len(frame.close_ms) for frame in frames}
    return Frames(
        ("BTCUSDT",),
        {frame.timeframe: frame for frame in frames},
        late={tf: np.zeros(count, np.int64) for tf, count in lengths.items()},
        length={tf: np.full(count, 990, np.int64) for tf, count in lengths.items()},
        gap={tf: np.zeros(count, bool) for tf, count in lengths.items()},
        failed={tf: frozenset() for tf in lengths},
    )


def series(timeframe: Timeframe, candles: Candles) -> Frame:
    columns = zip(*candles, strict=True)
    named = {
        name: [list(values)] for name, values in zip(("rsi", "adx", "atr", "ema9"), columns, strict=True)
    }
    return frame(timeframe, {"close": [1.0], **named}, rows=len(candles))


def judged(by: Profile, candles: Candles) -> TimeframeOutcome:
    """The 5m context at each of `candles`."""
    history = replay(over(series(M5, candles), series(M1, candles[-1:])), by, np.array([_ms()]))
    return history.context[0]


def _ms() -> int:
    return int(AT.timestamp() * 1000)


EVERY = list(product((YES, NO, NAN), repeat=4))
"""Every way in which four values may hold, not hold or be unknown."""

ITEMS: list[Any] = ["rsi > 1", {"any_of": ["adx > 1", {"all_of": ["atr > 1", "rsi > 1"]}]}]
FILTERS: list[Any] = [{"not": "ema9 < 1"}]


def test_an_item_is_the_only_thing_missing_exactly_where_its_truth_would_make_the_side_hold() -> None:
    """Against the profile itself with that item replaced by one that always holds."""
    judgement = judged(profile(ITEMS, FILTERS), EVERY)
    replaced = [
        profile([ALWAYS, ITEMS[1]], FILTERS),
        profile([ITEMS[0], ALWAYS], FILTERS),
        profile(ITEMS, [ALWAYS]),
    ]
    for item, other in zip(rule_items(judgement.judged, judgement.views[0]), replaced, strict=True):
        helped = (judged(other, EVERY).outcome == Outcome.LONG) & (judgement.outcome != Outcome.LONG)
        assert item.only_missing.tolist() == helped.tolist(), item.text
        assert 0 < helped.sum() < len(EVERY)


@settings(max_examples=40, deadline=None)
@given(
    parts=st.lists(
        st.sampled_from(["rsi > 1", "adx > 1", "atr > 1", "ema9 > 1", "rsi > adx"]), min_size=1, max_size=5
    )
)
def test_whatever_the_items_are_at_most_one_is_alone_and_none_where_the_side_holds(parts: list[str]) -> None:
    judgement = judged(profile(parts), EVERY)
    items = rule_items(judgement.judged, judgement.views[0])
    alone = np.sum([item.only_missing for item in items], axis=0)
    assert set(alone.tolist()) <= {0, 1}
    assert not (alone.astype(bool) & (judgement.outcome == Outcome.LONG)).any()
    assert (np.min([item.truth for item in items], axis=0) == 1).tolist() == (
        judgement.outcome == Outcome.LONG
    ).tolist()


def test_items_are_told_as_written_with_their_side_and_role() -> None:
    judgement = judged(profile(ITEMS, FILTERS), EVERY)
    assert [
        (item.side, item.role, item.text) for item in rule_items(judgement.judged, judgement.views[0])
    ] == [
        (Side.LONG, "rule", "rsi > 1"),
        (Side.LONG, "rule", "any_of[adx > 1, all_of[atr > 1, rsi > 1]]"),
        (Side.LONG, "filter", "not ema9 < 1"),
    ]


def test_a_side_without_rules_has_no_items_though_it_has_filters() -> None:
    content = profile(ITEMS).content | {"filters_mandatory": {"5m": {"context": {"short": ["rsi > 1"]}}}}
    by = Profile.load(content, content.pop("conditions"), "test")
    judgement = judged(by, EVERY)
    assert {item.side for item in rule_items(judgement.judged, judgement.views[0])} == {Side.LONG}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("rsi > 1", "rsi > 1"),
        ("close_above_vwap", "close_above_vwap"),
        ({"rsi_lt_70": {"level": 72}}, "rsi_lt_70(level=72)"),
        ({"near": {"eps": 0.000001, "n": 2}}, "near(eps=0.000001, n=2)"),
        ({"any_of": ["a", {"not": {"b": {"t": 0.5}}}]}, "any_of[a, not b(t=0.5)]"),
    ],
)
def test_an_item_is_spelled_on_one_line(content: Any, text: str) -> None:
    assert item_text(content) == text


L, S, N = (YES, NO, NO, NO), (NO, YES, NO, NO), (NO, NO, NO, NO)
"""A candle that is long, one that is short, and one that is neither."""


@pytest.mark.parametrize(
    ("mode", "quarter", "five", "one", "blocked", "alone"),
    [
        ("strict", N, L, L, "15m context", "15m context"),
        ("strict", N, N, L, "15m context, 5m context", ""),
        ("strict", L, L, N, "1m execution", "1m execution"),
        ("strict", L, L, L, "", ""),
        ("pragmatic", N, L, L, "", ""),
        ("pragmatic", N, N, L, "15m context, 5m context", "15m context, 5m context"),
        ("pragmatic", N, L, N, "1m execution", "1m execution"),
        ("pragmatic", L, S, L, "15m context, 5m context", "15m context, 5m context"),
        ("strict", L, S, L, "15m context, 5m context", "15m context, 5m context"),
        ("strict", S, S, L, "1m execution", "1m execution"),
    ],
)
def test_a_timeframe_is_in_the_way_alone_where_its_answer_alone_would_have_made_the_decision(
    mode: str, quarter: Sequence[float], five: Sequence[float], one: Sequence[float], blocked: str, alone: str
) -> None:
    by = profile(["rsi > 1"], mode=mode, context="15m 5m", short=["adx > 1"])
    frames = over(*(series(tf, [candle]) for tf, candle in ((M15, quarter), (M5, five), (M1, one))))
    items = blockers(replay(frames, by, np.array([_ms()])))
    named = {
        flag: ", ".join(f"{one.timeframe} {one.phase}" for one in items if getattr(one, flag)[0])
        for flag in ("blocked", "alone")
    }
    assert named == {"blocked": blocked, "alone": alone}


def test_a_slow_timeframe_is_in_the_way_for_as_long_as_its_outcome_stands() -> None:
    by = profile(["rsi > 1"], mode="strict", context="5m")
    frames = over(series(M5, [N, L]), series(M1, [L] * 6))
    closes = _ms() + np.arange(-5, 1) * M1.ms
    history: PastJudgement = replay(frames, by, closes)
    [context, execution] = blockers(history)
    assert context.alone.tolist() == [True] * 5 + [False]
    assert not execution.blocked.any()
