"""What looks back says over random series, unknown values included, what its definition says word by word."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from apps.engine.frame import Frame, close_times
from apps.engine.rules.condition import read_conditions
from apps.engine.rules.rule_input import RuleInput
from tests.engine.frame_builder import AT, M5

FILE = Path(__file__).resolve().parents[2] / "profiles" / "conditions.yaml"
CATALOGUE, _ = read_conditions(yaml.safe_load(FILE.read_text("utf-8")))
ROWS = 1500


class Past:
    """One market at one candle: `past.rsi(2)` is RSI two candles ago, None where it is not known."""

    def __init__(self, columns: dict[str, list[float]], row: int) -> None:
        self._columns, self._row = columns, row

    def __getattr__(self, name: str) -> Callable[..., float | None]:
        return lambda ago=0: self._at(name, ago)

    def histogram(self, ago: int) -> float | None:
        """H/C."""
        h, c = self._at("macd_hist", ago), self._at("close", ago)
        return None if h is None or c is None else h / c

    def _at(self, name: str, ago: int) -> float | None:
        value = self._columns[name][self._row - ago] if ago <= self._row else math.nan
        return None if math.isnan(value) else value


def above(left: float | None, right: float | None) -> int:
    return 0 if left is None or right is None else 1 if left > right else -1


def at_least(left: float | None, right: float | None) -> int:
    return -above(right, left)


def minus(value: float | None) -> float | None:
    return None if value is None else -value


def hysteresis(past: Past, gap: float, bars: int, sign: int) -> int:
    """Some i before j within the last bars + 1 candles: H/C[i] <= -gap, and H/C >= gap from j to now."""

    def x(ago: int) -> float | None:
        value = past.histogram(ago)
        return value if sign > 0 else minus(value)

    pairs = [(i, j) for j in range(bars + 1) for i in range(j + 1, bars + 1)]
    return max(
        min(at_least(-gap, x(i)), *(at_least(x(k), gap) for k in range(j + 1)))  # k = j is H/C[j] >= gap
        for i, j in pairs
    )


def steps(past: Past, n: int, eps: float, sign: int) -> int:
    """Each of n steps up (down) by more than eps of the close of the candle it ends at."""
    parts = []
    for ago in range(n):
        now, before, close = past.macd_hist(ago), past.macd_hist(ago + 1), past.close(ago)
        if now is None or before is None or (eps and close is None):
            parts.append(0)
        else:
            parts.append(above((now - before) * sign, eps * (close or 0)))
    return min(parts)


def crossed(now: int, before: int) -> int:
    """Above (below) now, and not so one candle ago."""
    return min(now, -before)


def slope(now: float | None, before: float | None, sign: int) -> int:
    return above(now, before) if sign > 0 else above(before, now)


def relaxed(past: Past, tolerance: float, low: float, high: float, sign: int) -> int:
    close, vwap, ema9, atr = past.close(), past.vwap(), past.ema9(), past.atr()
    ratio = None if atr is None or close is None else atr / close
    away = None if vwap is None or close is None else abs(close / vwap - 1)
    beyond = max(slope(close, vwap, sign), slope(close, ema9, sign))
    return max(beyond, min(at_least(ratio, low), at_least(high, ratio), at_least(tolerance, away)))


def valley(past: Past, sign: int) -> int:
    """H of the middle of three candles is the lowest (highest), and the close is beyond EMA 21."""
    h = [past.macd_hist(ago) if sign > 0 else minus(past.macd_hist(ago)) for ago in range(3)]
    return min(above(h[0], h[1]), above(h[2], h[1]), slope(past.close(), past.ema21(), sign))


def regime(past: Past, level: float, sign: int) -> int:
    close = past.close()
    trend = min(slope(close, past.ema50(), sign), at_least(past.adx(), level))
    return max(slope(close, past.ema200(), sign), trend)


Oracle = Callable[[Past], int]
CASES: list[Any] = [
    *(
        (
            f"macd_line_cross_{way}_with_hysteresis",
            {"gap": gap, "bars": bars},
            lambda p, g=gap, b=bars, s=sign: hysteresis(p, g, b, s),
        )
        for way, sign in (("up", 1), ("down", -1))
        for gap, bars in ((0.00003, 3), (0.00003, 1), (0.00001, 2), (0.00004, 7))
    ),
    *(
        (f"macd_hist_{way}_n", {"n": n, "eps": eps}, lambda p, n=n, e=eps, s=sign: steps(p, n, e, s))
        for way, sign in (("increasing", 1), ("decreasing", -1))
        for n, eps in ((2, 0), (1, 0), (3, 0), (1, 0.00002), (2, 0.00001))
    ),
    *(
        (
            f"{column}_slope_{way}",
            {"n": n},
            lambda p, c=name, n=n, s=sign: slope(getattr(p, c)(), getattr(p, c)(n), s),
        )
        for column, name, n in (("ema200", "ema200", 13), ("ema_20", "ema20", 8), ("ema_20", "ema20", 1))
        for way, sign in (("pos", 1), ("neg", -1))
    ),
    ("pullback_confirmed", {}, lambda p: valley(p, 1)),
    ("pullback_confirmed_down", {}, lambda p: valley(p, -1)),
    ("close_above_vwap_or_ma9_relaxed", {}, lambda p: relaxed(p, 0.004, 0.0007, 0.02, 1)),
    ("close_below_vwap_or_ma9_relaxed", {}, lambda p: relaxed(p, 0.004, 0.0007, 0.02, -1)),
    ("price_regime_ok_long", {}, lambda p: regime(p, 20, 1)),
    ("price_regime_ok_short", {}, lambda p: regime(p, 20, -1)),
    ("rsi_cross_up", {}, lambda p: crossed(above(p.rsi(), 30), above(p.rsi(1), 30))),
    ("rsi_cross_down", {}, lambda p: crossed(above(70, p.rsi()), above(70, p.rsi(1)))),
    (
        "macd_signal_cross_up",
        {},
        lambda p: crossed(above(p.macd(), p.macd_signal()), above(p.macd(1), p.macd_signal(1))),
    ),
    (
        "macd_signal_cross_down",
        {},
        lambda p: crossed(above(p.macd_signal(), p.macd()), above(p.macd_signal(1), p.macd(1))),
    ),
    ("ma9_cross_up_ma21", {}, lambda p: crossed(above(p.ema9(), p.ema21()), above(p.ema9(1), p.ema21(1)))),
    ("ma9_cross_down_ma21", {}, lambda p: crossed(above(p.ema21(), p.ema9()), above(p.ema21(1), p.ema9(1)))),
]


@pytest.fixture(scope="module")
def series() -> dict[str, list[float]]:
    """One market on coarse grids, so that equal values are common; some begin unknown, as live's do."""
    rng = np.random.default_rng(20260301)
    columns = {
        name: 128 + rng.integers(-20, 21, ROWS) / 32
        for name in ("vwap", "ema9", "ema20", "ema21", "ema50", "ema200")
    }
    columns |= {"close": 128 + rng.integers(-40, 41, ROWS) / 32, "atr": rng.integers(0, 9, ROWS) / 32}
    columns |= {name: rng.integers(-6, 7, ROWS) / 1024 for name in ("macd", "macd_signal", "macd_hist")}
    columns |= {
        "rsi": rng.choice([20.0, 30.0, 50.0, 70.0, 80.0], ROWS),
        "adx": rng.choice([19.0, 20.0, 21.0], ROWS),
    }
    for name, begins in (
        ("macd_hist", 33),
        ("ema200", 199),
        ("vwap", 50),
        ("rsi", 14),
        ("macd_signal", 33),
        ("ema21", 20),
    ):
        columns[name][:begins] = math.nan
    return {name: values.tolist() for name, values in columns.items()}


@pytest.mark.parametrize(
    ("name", "params", "oracle"), CASES, ids=[f"{name} {list(params.values())}" for name, params, _ in CASES]
)
def test_a_condition_is_its_definition(
    name: str, params: dict[str, float], oracle: Oracle, series: dict[str, list[float]]
) -> None:
    columns: dict[str, Any] = {column: np.array([values]) for column, values in series.items()}
    view = RuleInput({M5: Frame(M5, close_times(AT, M5, ROWS), columns)}, M5, rows=ROWS)
    with np.errstate(all="ignore"):
        said = CATALOGUE[name].logic(params).truth(view)[0].tolist()
    assert said == [oracle(Past(series, row)) for row in range(ROWS)]
    assert set(said) == {-1, 0, 1}
