"""Every symbol by every profile at one moment, and one symbol's verdict with every leaf."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from apps.engine.cycle import evaluate
from apps.engine.evaluate.judgement import MinuteJudgement
from apps.engine.evaluate.outcome import Outcome
from apps.engine.evaluate.verdict import Verdict
from apps.engine.frame import Frame, Frames, close_times
from apps.engine.indicators.columns import COLUMNS
from apps.engine.profile import Phase, Profile
from apps.engine.values.account import kill_switch_refusal
from apps.engine.values.position import Side
from apps.engine.values.reason import Reason
from tests.engine.frame_builder import AT, H1, M1, M5, M15, NAN, frame, whole

PROFILES = Path(__file__).resolve().parents[2] / "profiles"
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")
MODES = ("strict", "pragmatic")


def profile(mode: str = "pragmatic", **changes: Any) -> Profile:
    sides = {"long": ["rsi > 60", "close > vwap or close > ema9"], "short": ["rsi < 40"]}
    content = {
        "name": "tiny",
        "validation_mode": mode,
        "context_timeframes": ["15m"],
        "execution_timeframes": ["5m", "1m"],
        "timeframes": dict.fromkeys(("15m", "5m", "1m"), sides),
    }
    return Profile.load(content | changes, {}, "tiny.yaml")


def frames() -> Frames:
    """BTC long to 5m · ETH short but only 1m follows · SOL without execution · XRP neutral."""

    def columns(*rsi: float) -> dict[str, list[float]]:
        return {"rsi": list(rsi), "close": [10.0] * 4, "vwap": [9.0] * 4, "ema9": [11.0, 11.0, 11.0, NAN]}

    return whole(
        frame(M15, columns(70, 30, 70, 50)),
        frame(M5, columns(70, 50, 30, 70)),
        frame(M1, columns(70, 30, 50, 70) | {"ema9": [9.0] * 4}),
        symbols=SYMBOLS,
    )


def judged(by: Profile | None = None) -> MinuteJudgement:
    [judgement] = evaluate(frames(), [by or profile()], at=AT)
    return judgement


def test_symbols_are_judged_at_once() -> None:
    judgement = judged()
    assert judgement.symbols == SYMBOLS
    assert judgement.ready.tolist() == [True, True, False, False]
    assert judgement.side.tolist() == [1, -1, 1, 0]
    assert judgement.execution_timeframe.tolist() == [M5, M1, None, None]
    assert judgement.reason.tolist() == [
        None,
        None,
        Reason.EXECUTION_SIDE_MISMATCH,
        Reason.PRAGMATIC_CONTEXT_ALL_NEUTRAL,
    ]


def test_profiles_answer_in_their_order() -> None:
    answers = evaluate(frames(), [profile("strict"), profile("pragmatic")], at=AT)
    assert [answer.profile.validation_mode for answer in answers] == list(MODES)
    assert [answer.reason[3] for answer in answers] == [
        Reason.STRICT_CONTEXT_REQUIRES_NON_NEUTRAL_ALL,
        Reason.PRAGMATIC_CONTEXT_ALL_NEUTRAL,
    ]


def test_a_profile_judges_its_members_alone_in_their_order_as_if_the_others_were_not_there() -> None:
    members = {"tiny": ("XRPUSDT", "BTCUSDT")}
    [judgement] = evaluate(frames(), [profile()], at=AT, members=members)
    assert judgement.symbols == members["tiny"]
    assert judgement.ready.tolist() == [False, True]
    assert judgement.reason.tolist() == [Reason.PRAGMATIC_CONTEXT_ALL_NEUTRAL, None]
    for symbol in members["tiny"]:
        assert judgement.verdict(symbol) == judged().verdict(symbol)
    with pytest.raises(KeyError, match="ETHUSDT"):
        judgement.verdict("ETHUSDT")


def test_a_member_without_candles_in_the_frames_is_refused() -> None:
    with pytest.raises(LookupError, match="DOGEUSDT"):
        evaluate(frames(), [profile()], at=AT, members={"tiny": ["DOGEUSDT"]})


def test_a_profile_without_members_judges_nothing() -> None:
    [judgement] = evaluate(frames(), [profile()], at=AT, members={"tiny": []})
    assert (judgement.symbols, judgement.ready.tolist()) == ((), [])


def test_a_verdict_says_everything() -> None:
    verdict = judged().verdict("BTCUSDT")
    assert (verdict.is_ready, verdict.side, verdict.reason) == (True, Side.LONG, None)
    assert (verdict.execution_timeframe, verdict.candle_open_at) == (M5, AT - timedelta(minutes=5))
    assert (verdict.profile, verdict.digest, verdict.evaluated_at) == ("tiny", profile().digest, AT)
    assert [(outcome.timeframe, outcome.phase) for outcome in verdict.timeframes] == [
        (M15, Phase.CONTEXT),
        (M5, Phase.EXECUTION),
        (M1, Phase.EXECUTION),
    ]
    leaves = verdict.timeframes[0].leaves
    assert [(leaf.side, leaf.text, leaf.left, leaf.right, leaf.held) for leaf in leaves] == [
        (Side.LONG, "rsi > 60", 70.0, 60.0, True),
        (Side.LONG, "close > vwap", 10.0, 9.0, True),
        (Side.LONG, "close > ema9", 10.0, 11.0, False),
        (Side.SHORT, "rsi < 40", 70.0, 40.0, False),
    ]
    assert verdict.score == pytest.approx(4 / 6)  # two of three leaves in 15m and in 5m; 1m was not needed


def test_a_verdict_that_is_not_ready_says_why() -> None:
    verdict = judged().verdict("XRPUSDT")
    assert (verdict.is_ready, verdict.side, verdict.execution_timeframe) == (False, None, None)
    assert (verdict.reason, verdict.score, verdict.candle_open_at) == (
        Reason.PRAGMATIC_CONTEXT_ALL_NEUTRAL,
        None,
        None,
    )
    assert [outcome.outcome for outcome in verdict.timeframes] == [
        Outcome.NEUTRAL,
        Outcome.LONG,
        Outcome.LONG,
    ]
    unknown = verdict.timeframes[0].leaves[2]
    assert (unknown.text, unknown.left, unknown.right, unknown.held) == ("close > ema9", 10.0, None, None)


def test_every_verdict_survives_json() -> None:
    judgement = judged()
    for symbol in SYMBOLS:
        verdict = judgement.verdict(symbol)
        assert Verdict.from_json(json.loads(json.dumps(verdict.to_json(), allow_nan=False))) == verdict


def test_a_symbol_that_was_not_judged_has_no_verdict() -> None:
    with pytest.raises(KeyError, match="DOGEUSDT"):
        judged().verdict("DOGEUSDT")


def test_without_timeframes_nothing_is_ready() -> None:
    nothing = profile(
        context_timeframes=[], execution_timeframes=["5m"], timeframes={"5m": {"long": ["rsi > 60"]}}
    )
    assert set(judged(nothing).reason) == {Reason.NO_TIMEFRAMES_IN_CONFIG}
    blind = profile(execution_timeframes=[], timeframes={"15m": {"long": ["rsi > 60"]}})
    assert judged(blind).reason.tolist()[0] == Reason.NO_TIMEFRAME_SELECTED


@pytest.mark.parametrize("minute", [0, 1, 4])
def test_an_outcome_stands_until_the_timeframes_next_close(minute: int) -> None:
    """Minutes after 12:00 the 15m and 5m frames still end at 12:00, and so do the candles that decide."""
    at = AT + timedelta(minutes=minute)
    later = whole(
        *(frame(tf, {"rsi": [70.0], "close": [10.0], "vwap": [9.0]}, at=at) for tf in (M15, M5, M1)),
    )
    [judgement] = evaluate(later, [profile()], at=at)
    verdict = judgement.verdict("BTCUSDT")
    assert [outcome.candle_open_at for outcome in verdict.timeframes] == [
        AT - timedelta(minutes=15),
        AT - timedelta(minutes=5),
        at - timedelta(minutes=1),
    ]
    assert verdict.candle_open_at == AT - timedelta(minutes=5)


@pytest.mark.parametrize("name", ["scalper_micro", "regular"])
def test_wide_judging_says_of_each_symbol_what_judging_it_alone_says(name: str) -> None:
    shipped = Profile.load(_yaml(name), _yaml("conditions"), name)
    wide = _random_frames(symbols=40)
    [together] = evaluate(wide, [shipped], at=AT)
    for row, symbol in enumerate(wide.symbols):
        [alone] = evaluate(_only(wide, row), [shipped], at=AT)
        assert alone.verdict(symbol) == together.verdict(symbol)
    outcomes = {outcome.outcome for symbol in wide.symbols for outcome in together.verdict(symbol).timeframes}
    assert len(outcomes) >= 3, "the market is too dull to prove anything"


def _yaml(name: str) -> Any:
    return yaml.safe_load((PROFILES / f"{name}.yaml").read_text("utf-8"))


def _random_frames(symbols: int) -> Frames:
    """Prices within a few per mille, so that every condition has both answers; some values missing."""
    rng = np.random.default_rng(5)
    built = []
    for timeframe in (H1, M15, M5, M1):
        shape = (symbols, 60)
        columns = {name: rng.normal(100, 0.2, shape) for name in COLUMNS}
        trend = rng.choice([-1, 1], (symbols, 1))
        for distance, name in enumerate(("ema200", "ema50", "ema21", "ema20", "ema9", "close")):
            columns[name] = 100 + trend * distance * 0.05 + rng.normal(0, 0.02, shape)
        columns |= {"sma21": columns["ema21"], "vwap": columns["ema20"]}
        columns |= {"rsi": 50 + trend * 6 + rng.normal(0, 4, shape), "adx": rng.normal(25, 5, shape)}
        columns |= {"macd_hist": trend * np.linspace(0, 1, 60) * 0.01, "atr": rng.uniform(0.1, 0.3, shape)}
        columns |= {name: np.zeros(shape) for name in ("bullish_divergence", "bearish_divergence")}
        columns["adx"][rng.integers(0, symbols, 4), -1] = np.nan
        built.append(Frame(timeframe, close_times(AT, timeframe, 60), columns))
    return whole(*built, symbols=[f"S{row}" for row in range(symbols)])


def _only(wide: Frames, row: int) -> Frames:
    alone = [
        Frame(
            outcome.timeframe,
            outcome.close_ms,
            {name: values[row : row + 1] for name, values in outcome.columns.items()},
        )
        for outcome in wide.frames.values()
    ]
    return whole(*alone, symbols=[wide.symbols[row]])


SWITCHES = {
    "GLOBAL": Reason.KILL_SWITCH_GLOBAL,
    "PROFILE:tiny": Reason.KILL_SWITCH_PROFILE,
    "SYMBOL:BTCUSDT": Reason.KILL_SWITCH_SYMBOL,
    "SYMBOL_TF:BTCUSDT:5m": Reason.KILL_SWITCH_SYMBOL_TF,
}


@pytest.mark.parametrize("key", SWITCHES)
def test_a_switch_that_is_off_refuses_with_its_key_and_reason(key: str) -> None:
    refusal = kill_switch_refusal({key: "maintenance"}, "tiny", "BTCUSDT", [M15, M5])
    assert refusal is not None
    assert (refusal.reason, refusal.numbers) == (SWITCHES[key], {"switch": key, "because": "maintenance"})


def test_the_widest_switch_is_named_first() -> None:
    off = dict.fromkeys(reversed(SWITCHES), "x")
    for reason in SWITCHES.values():
        refusal = kill_switch_refusal(off, "tiny", "BTCUSDT", [M5])
        assert refusal is not None
        assert refusal.reason == reason
        del off[refusal.numbers["switch"]]
    assert off == {}


@pytest.mark.parametrize(
    "key",
    [
        "PROFILE:other",
        "SYMBOL:ETHUSDT",
        "SYMBOL:BTC",
        "SYMBOL_TF:BTCUSDT:1m",
        "SYMBOL_TF:ETHUSDT:5m",
        "global",
    ],
)
def test_a_switch_of_something_else_refuses_nothing(key: str) -> None:
    assert kill_switch_refusal({key: "x"}, "tiny", "BTCUSDT", [M15, M5]) is None
