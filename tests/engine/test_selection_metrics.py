"""What an entry would be like, before it is planned: the same numbers as the entry's own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from apps.engine.enter.entry_price import entry_zone
from apps.engine.enter.exit_price import expected_r_net
from apps.engine.frame import Floats, Frame, close_times
from apps.engine.profile import EntrySettings
from apps.engine.profile.vocabulary import entry_metrics
from apps.engine.rules.rule_input import RuleInput
from apps.engine.values.plan import Zone
from apps.engine.values.position import Side
from apps.engine.values.timeframe import Timeframe
from tests.engine.frame_builder import AT, M1, M5, NAN, one
from tests.engine.trade_builder import NOW, contract, entry_of, observation

COUNT = 300
FINE = contract(tick_size=Decimal("0.000000000001"))
"""A tick so fine that rounding to it shows in no percentage."""


def markets() -> dict[Timeframe, dict[str, Floats]]:
    """Many symbols: zones bound by the ATR, by w_min and by w_max; anchors and ATRs that are missing."""
    rng = np.random.default_rng(11)
    shape = (COUNT, 1)
    price = rng.uniform(50, 150, shape)
    gaps = rng.choice([1.0, 1.0, 1.0, NAN], (3, *shape))
    slow_atr = price * rng.choice([0.0002, 0.01, 0.02, 0.3], shape) * gaps[0]
    return {
        M1: {
            "close": price,
            "sma21": price * rng.uniform(0.9, 1.1, shape) * gaps[1],
            "vwap": price * rng.uniform(0.9, 1.1, shape) * gaps[2],
            "atr": price * rng.choice([0.0001, 0.001, 0.004, 0.0, NAN], shape),
        },
        M5: {"atr": np.where(rng.integers(0, 20, shape) > 0, slow_atr, 0.0)},
    }


def value(name: str, entry: EntrySettings, columns: dict[Timeframe, dict[str, Floats]]) -> list[float]:
    frames = {tf: Frame(tf, close_times(AT, tf, 1), names) for tf, names in columns.items()}
    with np.errstate(all="ignore"):
        values: list[float] = entry_metrics(entry)[name].values(RuleInput(frames, M1), 0)[:, -1].tolist()
    return values


@pytest.mark.parametrize("changes", [{}, {"anchor": "vwap"}, {"bias": 0.5}, {"k_atr": 0.9, "w_max": 0.02}])
def test_the_width_is_that_of_the_zone_an_entry_would_have(changes: dict[str, Any]) -> None:
    entry = entry_of(zone=entry_of().content()["zone"] | changes)
    columns, known = markets(), 0
    for row, width_pct in enumerate(value("entry_zone_width_pct", entry, columns)):
        features = {
            tf: {name: float(values[row, 0]) for name, values in names.items()}
            for tf, names in columns.items()
        }
        zone = entry_zone(observation(features=features), FINE, entry, Side.LONG, NOW)
        if isinstance(zone, Zone):
            assert width_pct == pytest.approx(float((zone.high - zone.low) / zone.anchor * 100), rel=1e-8)
            known += 1
        else:
            assert np.isnan(width_pct)
    assert 100 < known < COUNT


def test_the_multiple_is_that_of_a_stop_by_the_atr_net_of_both_fees() -> None:
    entry, columns, known = entry_of(), markets(), 0
    assert entry.atr_k == 4
    for row, multiple in enumerate(value("expected_r_multiple", entry, columns)):
        close, atr = (Decimal(repr(float(columns[M1][name][row, 0]))) for name in ("close", "atr"))
        if atr.is_nan() or atr == 0:
            assert np.isnan(multiple)
            continue
        distance = max(close * Decimal("0.005"), 4 * atr)
        target = close + entry.r_multiple * distance
        expected = expected_r_net(close, close - distance, target, entry.fees.taker)
        assert multiple == pytest.approx(float(expected), rel=1e-12)
        known += 1
    assert 100 < known < COUNT


def test_a_stop_at_its_least_is_worth_what_the_fees_leave() -> None:
    [[multiple]] = entry_metrics(entry_of())["expected_r_multiple"].values(
        RuleInput(one(M1, close=100, atr=0.01), M1), 0
    )
    assert multiple == pytest.approx((1.8 * 0.5 - 0.12) / (0.5 + 0.12))


def test_the_spread_is_unknown_unless_it_is_given() -> None:
    term = entry_metrics(None)["spread_bps"]
    assert np.isnan(term.values(RuleInput(one(M1, close=100), M1), 0)).all()
    assert term.values(RuleInput(one(M1, spread_bps=4.5), M1), 0).tolist() == [[4.5]]
    assert list(term.reads(0)) == []


def test_without_an_entry_section_only_the_spread_is_known() -> None:
    assert set(entry_metrics(None)) == {"spread_bps"}
    assert set(entry_metrics(entry_of())) == {"spread_bps", "entry_zone_width_pct", "expected_r_multiple"}


def test_the_frames_hold_what_the_metrics_read() -> None:
    reads = {str(read) for term in entry_metrics(entry_of()).values() for read in term.reads(0)}
    assert reads == {'on("1m", sma21)', 'on("1m", vwap)', 'on("5m", atr)', "close", "atr"}
