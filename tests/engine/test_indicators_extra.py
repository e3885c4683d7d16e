"""Extra indicators: the table is the library's own, nothing looks ahead, and no symbol harms another."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.engine.frame import CLOSE, Floats
from apps.engine.indicators import extra as bridge
from apps.engine.indicators.extra import extra_columns, extra_series, plain_name
from apps.engine.indicators.extra_kinds import KINDS, Extra, extra_of_kind, parameter_bounds
from apps.engine.profile.profile import SLOW_MIN_CANDLES
from apps.engine.values.timeframe import WINDOW, Timeframe
from tests.engine import real_candles
from tests.engine.market import walk, windows_of

library = bridge.library
EXACT, WINDOWED = 1e-9, 1e-4
"""Relative: a cut may change the last digits of a convolution, a window's start a little more."""

LOOKS_AHEAD = ("dpo", "ichimoku", "tos_stdevall", "vp")
SUMS_UP = ("ad", "aobv", "nvi", "obv", "pvi", "pvt", "wad")


@pytest.fixture(scope="module")
def candles() -> Floats:
    """3,000 real minutes, (5, 3000)."""
    whole, _ = real_candles.columns("1m/ETHUSDT.csv.gz", Timeframe.M1)
    part = whole[:, 0, -3000:]
    assert np.isfinite(part).all()
    return part


def agree(left: Floats, right: Floats, tolerance: float, scale: float = 0.0) -> bool:
    return bool(np.allclose(left, right, rtol=tolerance, atol=tolerance * scale, equal_nan=True))


@st.composite
def any_extra(draw: st.DrawFn, kind: str) -> Extra:
    params: dict[str, Any] = {}
    for name, default in KINDS[kind].params.items():
        least, largest = parameter_bounds(KINDS[kind], name)
        params[name] = (
            draw(st.integers(int(least), int(largest)))
            if isinstance(default, int)
            else draw(st.floats(least, min(largest, 10.0), exclude_min=True, exclude_max=True, width=16))
        )
    return extra_of_kind(kind, params)


@pytest.mark.parametrize("kind", KINDS)
def test_cutting_the_future_off_does_not_change_the_past(kind: str, candles: Floats) -> None:
    extra = extra_of_kind(kind, {})
    whole = extra_series(candles[:, :1200], extra)
    for cut in (1199, 1000, 777, 400):
        for name, before, after in zip(
            extra.columns, extra_series(candles[:, :cut], extra), whole, strict=True
        ):
            assert agree(before, after[:cut], EXACT), f"{name} at {cut}"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_parameters_make_it_look_ahead(kind: str, candles: Floats) -> None:
    @settings(max_examples=15, deadline=None)
    @given(any_extra(kind), st.integers(SLOW_MIN_CANDLES, 999))
    def holds(extra: Extra, cut: int) -> None:
        whole, before = extra_series(candles[:, :1000], extra), extra_series(candles[:, :cut], extra)
        for early, late in zip(before, whole, strict=True):
            assert agree(early, late[:cut], EXACT)

    holds()


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_window_gives_what_the_whole_past_gives(kind: str, candles: Floats) -> None:
    extra = extra_of_kind(kind, {})
    whole = extra_series(candles, extra)
    for end in range(1500, 3000, 487):
        part = extra_series(candles[:, end - WINDOW[Timeframe.M5] : end], extra)
        for name, long, short in zip(extra.columns, whole, part, strict=True):
            spread = float(np.nanstd(long))
            assert agree(long[end - 1], short[-1], WINDOWED, spread), f"{name} at {end}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_says_the_librarys_own_inputs_columns_and_defaults(kind: str, candles: Floats) -> None:
    part, row = candles[:, -600:], KINDS[kind]
    given = {
        bridge.INPUTS[letter][0]: bridge.pd.Series(part[bridge.INPUTS[letter][1]]) for letter in row.inputs
    }
    result = getattr(library, kind)(**given)
    names = [result.name] if isinstance(result, bridge.pd.Series) else list(result.columns)
    assert tuple(plain_name(str(name)) for name in names) == row.columns
    ours = extra_series(part, extra_of_kind(kind, {}))
    for name, values in zip(names, ours, strict=True):
        theirs = result if isinstance(result, bridge.pd.Series) else result[name]
        numbers = theirs.to_numpy(dtype=np.float64)
        assert agree(np.where(np.isfinite(numbers), numbers, np.nan), values, 0.0), name
    assert any(np.isfinite(values[-1]) for values in ours)


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_is_effective(kind: str, candles: Floats) -> None:
    part = candles[:, -700:]
    usual = extra_series(part, extra_of_kind(kind, {}))
    for name, default in KINDS[kind].params.items():
        changed = extra_series(
            part, extra_of_kind(kind, {name: default + 3 if isinstance(default, int) else default * 0.7})
        )
        pairs = zip(usual, changed, strict=True)
        assert not all(np.array_equal(values, other, equal_nan=True) for values, other in pairs), name


@pytest.mark.parametrize("kind", [*LOOKS_AHEAD, *SUMS_UP])
def test_what_looks_ahead_or_sums_from_the_start_is_no_kind(kind: str) -> None:
    assert kind in {name for names in library.Category.values() for name in names}
    assert kind not in KINDS


def test_columns_carry_the_parameters_and_lie_where_the_candles_do() -> None:
    whole = windows_of(walk(3, 400))
    trend = extra_of_kind("supertrend", {"length": 10})
    assert trend.name == "supertrend(length=10, multiplier=3.0)"
    columns, failed = extra_columns(whole, 60, [trend, extra_of_kind("rsi", {})])
    assert failed == {trend.name: frozenset(), "rsi(length=14)": frozenset()}
    assert set(columns) == {*trend.columns, "rsi(length=14).rsi"}
    [direction] = [values for name, values in columns.items() if name.endswith(".supertd")]
    assert direction.shape == (3, 60)
    assert set(np.unique(direction)) <= {-1.0, 1.0}
    alone = extra_series(whole.candles[:, 1], trend)[0][-60:]
    assert np.array_equal(columns[trend.columns[0]][1], alone, equal_nan=True)


def test_a_poison_symbol_is_named_and_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = windows_of(walk(3, 300))
    poison = float(whole.candles[CLOSE, 1, 0])
    honest = extra_series

    def fails(part: Floats, extra: Extra) -> tuple[Floats, ...]:
        if part[CLOSE, 0] == poison:
            raise FloatingPointError("poison")
        return honest(part, extra)

    monkeypatch.setattr(bridge, "extra_series", fails)
    columns, failed = extra_columns(whole, 30, [extra_of_kind("rsi", {})])
    assert failed == {"rsi(length=14)": frozenset({whole.symbols[1]})}
    known = np.isfinite(columns["rsi(length=14).rsi"]).all(axis=1)
    assert known.tolist() == [True, False, True]


def test_other_columns_than_the_tables_are_a_failure_not_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "rsi", lambda close, **_: close.rename("RSIX_14"))
    _, failed = extra_columns(windows_of(walk(2, 100)), 5, [extra_of_kind("rsi", {})])
    assert len(failed["rsi(length=14)"]) == 2


def test_the_library_is_told_not_to_ask_talib(monkeypatch: pytest.MonkeyPatch) -> None:
    honest, options = library.rsi, []

    def rsi(close: Any, length: int, talib: bool | None = None) -> Any:
        options.append(talib)
        return honest(close, length=length, talib=talib)

    monkeypatch.setattr(library, "rsi", rsi)
    bridge._takes_talib_option.cache_clear()
    extra_series(walk(1, 100)[:, 0], extra_of_kind("rsi", {}))
    assert options == [False]


def test_a_symbol_with_few_candles_is_unknown_not_failed() -> None:
    columns, failed = extra_columns(windows_of(walk(1, 8)), 3, [extra_of_kind("rsi", {})])
    assert np.isnan(columns["rsi(length=14).rsi"]).all()
    assert failed == {"rsi(length=14)": frozenset()}


def test_the_engine_without_extras_never_imports_pandas() -> None:
    code = "import sys, apps.engine.cycle, apps.engine.indicators.columns; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
