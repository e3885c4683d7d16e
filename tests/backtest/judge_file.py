"""`python -m tests.backtest.judge_file CANDLES PROFILE ANSWER`: judge a file in a process of its own.

CANDLES is an .npz: per timeframe its candles (5, 1, N) and the close of the last one (Unix s), and the
moments to judge. ANSWER gets what the profile said at each of them and what every condition of the catalogue
said at each candle.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from apps.engine.cycle import replay
from apps.engine.frame import Frames, Windows, windows
from apps.engine.indicators.history import history
from apps.engine.rules.condition import UNKNOWN_METRICS, read_conditions
from apps.engine.rules.rule_input import RuleInput
from apps.engine.values.timeframe import VALIDATION, WINDOW, Timeframe
from apps.profiles.files import load_profiles

PROFILES = Path(__file__).resolve().parents[2] / "profiles"


def write(path: Path, stretches: dict[Timeframe, Windows], closes_ms: Any) -> None:
    """The file of candles."""
    candles = {f"candles_{timeframe}": part.candles for timeframe, part in stretches.items()}
    until = {f"until_{timeframe}": int(part.until.timestamp()) for timeframe, part in stretches.items()}
    np.savez(path, closes_ms=closes_ms, **candles, **until)


def answers(stretches: dict[Timeframe, Windows], profile: str, closes_ms: Any) -> dict[str, Any]:
    [by] = load_profiles(PROFILES, [profile])
    frames = history(stretches)
    judgement = replay(frames, by, closes_ms)
    codes = {
        "reason": judgement.reason_code,
        "side": judgement.side,
        "index": judgement.execution_index,
        "score": judgement.score,
    }
    return codes | {
        f"{timeframe} {name}": truth
        for timeframe in VALIDATION
        for name, truth in _conditions(frames, timeframe).items()
    }


def _conditions(frames: Frames, timeframe: Timeframe) -> dict[str, Any]:
    catalogue, _ = read_conditions(yaml.safe_load((PROFILES / "conditions.yaml").read_text("utf-8")))
    view = RuleInput(frames.frames, timeframe, rows=len(frames.frames[timeframe].close_ms))
    with np.errstate(all="ignore"):  # not finite is unknown
        return {
            name: view.flat(condition.logic({}, UNKNOWN_METRICS).truth(view))
            for name, condition in catalogue.items()
        }


def _read(path: Path) -> tuple[dict[Timeframe, Windows], Any]:
    with np.load(path) as file:
        stretches = {
            timeframe: windows(
                ("SYMBOL",),
                timeframe,
                datetime.fromtimestamp(int(file[f"until_{timeframe}"]), UTC),
                file[f"candles_{timeframe}"],
            )
            for timeframe in WINDOW
        }
        return stretches, file["closes_ms"]


if __name__ == "__main__":
    given, profile_name, answer = sys.argv[1:]
    read, moments = _read(Path(given))
    np.savez(answer, **answers(read, profile_name, moments))
