"""One timeframe: long, short, neutral or invalid, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from apps.engine.evaluate.outcome import Outcome
from apps.engine.evaluate.timeframe import TimeframeOutcome, newest_outcome
from apps.engine.frame import Frames
from apps.engine.profile import Phase, TimeframeRules
from apps.engine.rules.rule import Compiler, Rule
from apps.engine.values.reason import Reason
from apps.engine.values.timeframe import Timeframe
from tests.engine.frame_builder import AT, H1, M5, M15, NAN, frame, whole

LONG, SHORT, NEUTRAL, INVALID = Outcome.LONG, Outcome.SHORT, Outcome.NEUTRAL, Outcome.INVALID


def rule(*items: str) -> Rule | None:
    return Compiler({}).rule(list(items)) if items else None


def judged(timeframe: Timeframe = M5, phase: Phase = Phase.CONTEXT, **rules: str) -> TimeframeRules:
    """Sides and filters by formula; long is rsi > 60, short is ema9 > 60, without filters unless given."""
    given = {"long": "rsi > 60", "short": "ema9 > 60", "long_filters": "", "short_filters": ""} | rules
    return TimeframeRules(
        timeframe, phase, **{name: rule(*([text] if text else [])) for name, text in given.items()}
    )


def judgement(
    frames: Frames, by: TimeframeRules, *, minimum: int = 250, grace_s: int = 60, after_s: float = 0
) -> TimeframeOutcome:
    return newest_outcome(frames, by, minimum=minimum, grace_s=grace_s, at=AT + timedelta(seconds=after_s))


YES, NO = 70.0, 50.0


@pytest.mark.parametrize(
    ("long", "short", "outcome", "reason"),
    [
        (YES, NO, LONG, None),
        (NO, YES, SHORT, None),
        (NO, NO, NEUTRAL, Reason.NO_LONG_NO_SHORT),
        (YES, YES, INVALID, Reason.LONG_AND_SHORT),
        (YES, NAN, LONG, None),
        (NAN, YES, SHORT, None),
        (NAN, NO, INVALID, Reason.MISSING_DATA),
        (NO, NAN, INVALID, Reason.MISSING_DATA),
        (NAN, NAN, INVALID, Reason.MISSING_DATA),
    ],
)
def test_a_side_holds_alone_or_the_timeframe_says_why_not(
    long: float, short: float, outcome: Outcome, reason: Reason | None
) -> None:
    said = judgement(whole(frame(M5, {"rsi": [long], "ema9": [short]})), judged())
    assert (said.outcome[0], said.reason[0]) == (outcome, reason)


@pytest.mark.parametrize(
    ("long", "short", "volume", "outcome", "reason"),
    [
        (YES, NO, 2.0, LONG, None),
        (YES, NO, 1.0, INVALID, Reason.FILTERS_MANDATORY_FAILED),
        (YES, NO, NAN, INVALID, Reason.MISSING_DATA),
        (NO, YES, 1.0, SHORT, None),
        (NO, YES, NAN, SHORT, None),
        (NO, NO, 1.0, NEUTRAL, Reason.NO_LONG_NO_SHORT),
        (YES, YES, 1.0, INVALID, Reason.LONG_AND_SHORT),
    ],
)
def test_a_long_filter_judges_longs_only(
    long: float, short: float, volume: float, outcome: Outcome, reason: Reason | None
) -> None:
    frames = whole(frame(M5, {"rsi": [long], "ema9": [short], "volume": [volume]}))
    said = judgement(frames, judged(long_filters="volume > 1.5"))
    assert (said.outcome[0], said.reason[0]) == (outcome, reason)


def test_an_absent_side_never_holds_and_is_never_unknown() -> None:
    frames = whole(frame(M5, {"rsi": [YES], "ema9": [NO]}))
    said = judgement(frames, judged(long=""))
    assert (said.outcome[0], said.reason[0]) == (NEUTRAL, Reason.NO_LONG_NO_SHORT)


CASES: dict[str, tuple[dict[str, Any], Reason | None]] = {
    "nothing at all": ({"length": 0, "late": 1490, "failed": True}, Reason.NO_KLINES),
    "late": ({"late": 1, "length": 100, "failed": True}, Reason.CANDLE_LATE),
    "later": ({"late": 7}, Reason.CANDLE_LATE),
    "short with a hole": ({"length": 249, "gap": True, "failed": True}, Reason.CANDLE_GAP),
    "short": ({"length": 249, "failed": True}, Reason.NOT_ENOUGH_KLINES),
    "raised": ({"failed": True}, Reason.INDICATOR_ERROR),
    "long enough, with an old hole": ({"length": 250, "gap": True}, None),
}


@pytest.mark.parametrize("case", CASES)
def test_candles_that_allow_no_judgement_are_named_before_any_rule(case: str) -> None:
    troubles, reason = CASES[case]
    frames = with_trouble(whole(frame(M5, {"rsi": [YES], "ema9": [NO]})), M5, **troubles)
    said = judgement(frames, judged())
    assert said.reason[0] == reason
    assert said.outcome[0] == (LONG if reason is None else INVALID)


def with_trouble(
    frames: Frames,
    timeframe: Timeframe,
    *,
    row: int = 0,
    late: int = 0,
    length: int = 990,
    gap: bool = False,
    failed: bool = False,
) -> Frames:
    """`frames` with one symbol's candles in trouble."""

    def put(values: np.ndarray, value: int) -> np.ndarray:
        changed = values.copy()
        changed[row] = value
        return changed

    raised = frozenset([frames.symbols[row]]) if failed else frozenset()
    return replace(
        frames,
        late=dict(frames.late) | {timeframe: put(frames.late[timeframe], late)},
        length=dict(frames.length) | {timeframe: put(frames.length[timeframe], length)},
        gap=dict(frames.gap) | {timeframe: put(frames.gap[timeframe], gap)},
        failed=dict(frames.failed) | {timeframe: raised},
    )


GRACE = [
    # timeframe, phase, late, seconds since the close, reason (None: the previous outcome stands)
    (M15, Phase.CONTEXT, 1, 0, None),
    (M15, Phase.CONTEXT, 1, 60, None),
    (H1, Phase.CONTEXT, 1, 60, None),
    (M15, Phase.CONTEXT, 1, 61, Reason.CANDLE_LATE),
    (M15, Phase.CONTEXT, 2, 0, Reason.CANDLE_LATE),
    (M15, Phase.EXECUTION, 1, 0, Reason.CANDLE_LATE),
    (M5, Phase.CONTEXT, 1, 0, Reason.CANDLE_LATE),
]


@pytest.mark.parametrize(("timeframe", "phase", "late", "after_s", "reason"), GRACE)
def test_a_slow_context_candle_may_be_late_for_a_while(
    timeframe: Timeframe, phase: Phase, late: int, after_s: int, reason: Reason | None
) -> None:
    columns = {"rsi": [[YES, NAN], [NO, YES]], "ema9": [[NO, NAN], [YES, NO]]}
    frames = with_trouble(whole(frame(timeframe, columns), symbols=("LATE", "GOOD")), timeframe, late=late)
    said = judgement(frames, judged(timeframe, phase), after_s=after_s)
    assert said.reason[0] == reason
    assert (said.outcome[0], bool(said.grace[0])) == ((LONG, True) if reason is None else (INVALID, False))
    newest = int(AT.timestamp() * 1000) - timeframe.ms
    assert said.candle_open_ms[0] == newest - (timeframe.ms if reason is None else 0)
    assert (said.outcome[1], said.reason[1], bool(said.grace[1]), said.candle_open_ms[1]) == (
        LONG,
        None,
        False,
        newest,
    )


def test_a_grace_of_no_seconds_is_no_grace() -> None:
    frames = with_trouble(whole(frame(M15, {"rsi": [[YES, NAN]]})), M15, late=1)
    assert judgement(frames, judged(M15), grace_s=0).reason[0] == Reason.CANDLE_LATE


def test_grace_needs_the_minimum_too() -> None:
    frames = with_trouble(whole(frame(M15, {"rsi": [[YES, NAN]]})), M15, late=1, length=249)
    assert judgement(frames, judged(M15)).reason[0] == Reason.NOT_ENOUGH_KLINES


@pytest.mark.parametrize(
    ("formula", "missing"),
    [
        ("rsi > 60 and ema200 > 0", ("ema200",)),
        ("adx > vwap and rsi > 60", ("adx", "vwap")),
        ("rising(macd_hist, 3) and rsi > 60", ("macd_hist",)),
        ('on("15m", adx) > 3 and rsi > 60', ('on("15m", adx)',)),
        (
            "close / volume > 1 and rsi > 60",
            ("close", "volume"),
        ),  # nothing absent: the columns divided by zero
        ("rsi > 60 or adx > 1 and rsi > 80", ("adx",)),
    ],
)
def test_missing_data_names_the_columns(formula: str, missing: tuple[str, ...]) -> None:
    rsi = 50.0 if " or " in formula else YES
    frames = whole(
        frame(M5, {"rsi": [rsi], "close": [1.0], "volume": [0.0], "macd_hist": [[1.0, 2.0]]}),
        frame(M15, {"ema9": [1.0]}),
    )
    said = judgement(frames, judged(long=formula.replace("rsi > 80", "rsi > 40"), short=""))
    assert said.reason[0] == Reason.MISSING_DATA
    assert said.leaves.missing(0) == missing


def test_the_score_is_the_share_of_the_sides_leaves_that_held() -> None:
    columns = {"rsi": [YES, NO, NO], "ema9": [NO, YES, NO], "adx": [30.0, 30.0, 30.0]}
    frames = whole(frame(M5, columns), symbols=("A", "B", "C"))
    said = judgement(
        frames,
        judged(
            long="rsi > 60 and (adx > 20 or adx > 40 or adx > 50)",
            short="ema9 > 60 and adx > 25 or adx > 90 or adx > 99",
        ),
    )
    assert said.score[:2].tolist() == [0.5, 0.5]
    assert np.isnan(said.score[2])


def test_one_poisoned_symbol_changes_nothing_for_the_others() -> None:
    columns = {"rsi": [NAN, YES, NO], "ema9": [float("inf"), NO, YES]}
    frames = with_trouble(whole(frame(M5, columns), symbols=("A", "B", "C")), M5, failed=True)
    assert judgement(frames, judged()).outcome.tolist() == [INVALID, LONG, SHORT]


def test_frames_without_what_a_rule_reads_are_a_fault_that_names_it() -> None:
    frames = whole(frame(M5, {"rsi": [YES]}))
    with pytest.raises(LookupError, match="a rule reads 1h but the frames hold 5m"):
        judgement(frames, judged(long='on("1h", adx) > 1'))
