"""The long proofs that a history does not lie, over the whole recorded market and every shipped profile."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from apps.backtest.entry_signals import judge_past
from apps.backtest.source import CandleRange, RecordedSource, open_recorded
from apps.engine.frame import Windows, windows
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.exchange.simulator.tape.read import extent
from apps.profiles.files import load_profiles, profile_names
from tests.backtest import judge_file
from tests.backtest.leaf_margins import NEAR, differences, margin
from tests.engine.past import live_frames, moment, verdict_at

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = {
    profile.name: profile for profile in load_profiles(ROOT / "profiles", profile_names(ROOT / "profiles"))
}
SYMBOLS, FIRST_MINUTE, MINUTES = extent()
FIRST = datetime.fromtimestamp(FIRST_MINUTE * 60, UTC)
LAST = FIRST + timedelta(minutes=MINUTES)
MOST_NEAR = 10
"""Flips within a hair of a threshold that are tolerated per profile: three were seen, all of ema200."""


@cache
def market() -> RecordedSource:
    return open_recorded(CandleRange(SYMBOLS, FIRST, LAST))


def stretch_of(start: datetime, hours: int, warm_up: int) -> RecordedSource:
    range_ = CandleRange(SYMBOLS, start, start + timedelta(hours=hours), warm_up)
    return RecordedSource(range_, market().archive)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "LAYERUSDT", "XMRUSDT"])
@pytest.mark.parametrize("name", SHIPPED)
def test_another_process_that_has_only_the_past_says_the_same(name: str, symbol: str, tmp_path: Path) -> None:
    """Every profile and every condition; the file the other process reads ends where the past ends."""
    source = market()
    candles, closes_ms = source.windows(symbol, WINDOW), source.range.closes_ms
    whole = judge_file.answers(candles, name, closes_ms)
    for cut in np.random.default_rng(len(name)).integers(3000, len(closes_ms), 2).tolist():
        cut_ms = int(closes_ms[cut])
        judge_file.write(tmp_path / "past.npz", _until(candles, cut_ms), closes_ms[: cut + 1])
        command = [sys.executable, "-m", "tests.backtest.judge_file", "past.npz", name, "answer.npz"]
        command[3:4] = [str(tmp_path / "past.npz")]
        command[-1] = str(tmp_path / "answer.npz")
        subprocess.run(command, cwd=ROOT, check=True)
        with np.load(tmp_path / "answer.npz") as past:
            assert set(past.files) == set(whole)
            for key in past.files:
                np.testing.assert_array_equal(past[key], whole[key][: len(past[key])], key)


def _until(candles: dict[Timeframe, Windows], cut_ms: int) -> dict[Timeframe, Windows]:
    return {
        timeframe: windows(
            part.symbols,
            timeframe,
            timeframe.floor(moment(cut_ms)),
            part.candles[:, :, part.close_ms <= cut_ms],
        )
        for timeframe, part in candles.items()
    }


@pytest.mark.parametrize("name", SHIPPED)
def test_doubling_the_warm_up_changes_only_leaves_within_a_hair_of_their_threshold(name: str) -> None:
    """Twelve starts over the tape, so that the shortest past is met often."""
    near: list[str] = []
    for start in (FIRST + n * timedelta(days=2) for n in range(12)):
        sources = [stretch_of(start, 12, warm_up) for warm_up in (1, 2)]
        for symbol in SYMBOLS:
            differing = differences(*(judge_past(each, symbol, SHIPPED[name]) for each in sources))
            assert differing.unexplained == [], symbol
            near += [f"{symbol} {each}" for each in differing.near]
    print(f"{name}: {len(near)} leaves within {NEAR:g} of their threshold", *near, sep="\n  ")
    assert len(near) <= MOST_NEAR


@pytest.mark.parametrize("name", SHIPPED)
def test_live_windows_and_the_whole_past_agree_but_within_a_hair_of_a_threshold(name: str) -> None:
    """What live says from its own windows at random minutes, leaf by leaf."""
    profile, near = SHIPPED[name], []
    random = np.random.default_rng(2)
    for symbol in SYMBOLS:
        source = market()
        candles, past = source.windows(symbol, profile.columns), judge_past(source, symbol, profile)
        margins = [
            [margin(leaf, judged.leaves.views[0]) for leaf in judged.leaves.leaves]
            for judged in past.timeframes
        ]
        for row in random.integers(0, len(past.closes_ms), 25).tolist():
            at_ms = int(past.closes_ms[row])
            ours, live = past.verdict(row), verdict_at(live_frames(candles, at_ms), profile, at_ms)
            flipped = [
                (float(margins[place][number][past.rows[past.timeframes[place].timeframe][row]]), leaf.text)
                for place, (judged, other) in enumerate(zip(ours.timeframes, live.timeframes, strict=True))
                for number, (leaf, same) in enumerate(zip(judged.leaves, other.leaves, strict=True))
                if leaf.held != same.held
            ]
            assert all(distance <= NEAR for distance, _ in flipped), (symbol, moment(at_ms), flipped)
            if not flipped:
                assert (ours.reason, ours.side, ours.execution_timeframe) == (
                    live.reason,
                    live.side,
                    live.execution_timeframe,
                )
            near += [f"{symbol} {moment(at_ms):%Y-%m-%d %H:%M} {text}" for _, text in flipped]
    print(f"{name}: {len(near)} leaves within {NEAR:g} of their threshold", *near, sep="\n  ")
    assert len(near) <= MOST_NEAR
