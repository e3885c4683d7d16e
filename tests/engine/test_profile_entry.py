"""The entry section of a profile: every key bounded, every fault named, every value part of the digest."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from apps.engine.profile import Profile, ProfileError
from apps.engine.values.timeframe import Timeframe
from tests.engine.trade_builder import entry_of, profile

PROFILES = Path(__file__).resolve().parents[2] / "profiles"
CONDITIONS = yaml.safe_load((PROFILES / "conditions.yaml").read_text("utf-8"))
REGULAR = yaml.safe_load((PROFILES / "regular.yaml").read_text("utf-8"))


def faults(path: str, value: Any) -> tuple[str, ...]:
    content = deepcopy(REGULAR)
    *parents, key = path.split(".")
    section = content["entry"]
    for parent in parents:
        section = section[parent]
    section[key] = value
    with pytest.raises(ProfileError) as caught:
        Profile.load(content, CONDITIONS, "regular")
    return caught.value.faults


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("risk_pct", 50, "less than or equal to 5"),
        ("risk_pct", 0, "greater than 0"),
        ("risk_pct", "1", "'1' is not a number"),
        ("risk_pct", True, "'True' is not a number"),
        ("risk_pct", float("nan"), "finite number"),
        ("margin_pct", 101, "less than or equal to 100"),
        ("r_multiple", 0.4, "greater than or equal to 0.5"),
        ("tp1_r", 2.0, "tp1_r 2.0 is not below r_multiple 2"),
        ("tp1_r", 0.2, "greater than or equal to 0.25"),
        ("process_tp_sl", "no", "valid boolean"),
        ("trailing", 2, "dictionary"),
        ("trailing", {"atr": 2}, "entry.trailing.atr: unknown key"),
        ("trailing", {"atr_k": 0}, "greater than 0"),
        ("max_holding_s", 59, "greater than or equal to 60"),
        ("max_holding_s", 90.5, "'90.5' is not a whole number"),
        ("stop_from", "atrr", "is not one of atr, pivot; nearest: 'atr'"),
        ("pivot_sl_policy", "s7", "is not one of nearest, strongest"),
        ("max_stop_pct", 0.5, "greater than 0.5"),
        ("zone.anchor", "ema9", "is not one of vwap, sma21"),
        ("zone.timeframe", "1d", "takes no part in validation"),
        ("zone.w_min", 0.02, "above w_max"),
        ("zone.widht", 1, "unknown key"),
        ("zone.k_at", 1, "nearest: 'k_atr'"),
        ("order_ttl_s", 241, "zone.ttl_s 240 is below order_ttl_s 241"),
        ("order_ttl_s", 60.5, "'60.5' is not a whole number"),
        ("exchange_cap", 0, "greater than or equal to 1"),
        ("per_symbol_caps", {"(": 5}, "not a regular expression"),
        ("timeframe_caps", {"1d": 5}, "takes no part in validation"),
        ("liquidation_min_ratio", 0.9, "greater than or equal to 1"),
        ("fees.taker", 0.06, "less than or equal to 0.01"),
        ("fees.takr", 0.0006, "nearest: 'taker'"),
        ("max_concurrent_positions", 0, "greater than or equal to 1"),
        ("review", "yes", "valid boolean"),
        ("risk", 1, "unknown key; nearest: 'risk_pct'"),
    ],
)
def test_each_fault_is_named_at_its_path(path: str, value: Any, says: str) -> None:
    lines = faults(path, value)
    assert any(fault.startswith("regular: entry") and says in fault for fault in lines), lines


def test_every_number_decides_and_so_is_part_of_the_digest() -> None:
    base = profile("regular").digest
    for key, value in REGULAR["entry"].items():
        if isinstance(value, int | float):
            changed = value + (1 if isinstance(value, int) else 0.01)
            assert profile("regular", **{key: changed}).digest != base, key


def test_who_asks_for_stops_that_stay_gets_another_digest_and_nothing_else_changes() -> None:
    base = profile("regular")
    unmoved = base.with_unmoved_stops()
    assert unmoved.entry is not None
    assert base.entry is not None
    assert not unmoved.entry.process_tp_sl
    assert unmoved.digest != base.digest
    assert unmoved.entry.content() == base.entry.content() | {"process_tp_sl": False}
    assert unmoved.with_unmoved_stops().digest == unmoved.digest


def test_how_a_number_is_written_does_not_change_the_digest() -> None:
    assert profile("regular", margin_pct=10.0, risk_pct=1).digest == profile("regular").digest


def test_the_stored_content_loads_again_as_the_same_profile() -> None:
    for name in ("regular", "scalper_micro"):
        first = profile(name, review=True, daily_max_loss_usdt=50.5)
        content = {key: value for key, value in first.content.items() if key != "conditions"}
        again = Profile.load(content, CONDITIONS, name)
        assert (again.digest, again.entry) == (first.digest, first.entry)


def test_a_profile_without_an_entry_only_judges() -> None:
    content = {key: value for key, value in REGULAR.items() if key != "entry"}
    assert Profile.load(content, CONDITIONS, "regular").entry is None


@pytest.mark.parametrize(
    ("symbol", "timeframe", "cap"),
    [("BTCUSDT", "15m", 20), ("XBTCUSDT", "15m", 20), ("DOGEUSDT", "15m", 7), ("DOGEUSDT", "1m", 5)],
)
def test_the_smallest_leverage_cap_that_applies_counts(symbol: str, timeframe: str, cap: int) -> None:
    entry = entry_of(
        "regular", per_symbol_caps={"^BTCUSDT$": 25, "DOGE": 7, "^D": 9}, timeframe_caps={"1m": 5}
    )
    assert entry.leverage_cap(symbol, Timeframe(timeframe)) == cap


@pytest.mark.parametrize(("timeframe", "age_s"), [("1m", 60), ("5m", 300), ("4h", 300)])
def test_a_signal_is_tradable_as_long_as_its_candle_and_five_minutes_at_most(
    timeframe: str, age_s: int
) -> None:
    assert entry_of().signal_age_s(Timeframe(timeframe)) == age_s
    assert entry_of(max_signal_age_s=20).signal_age_s(Timeframe(timeframe)) == 20


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("scalper_micro", "risk_pct", "0.5"),
        ("scalper_micro", "atr_k", "4"),
        ("scalper_micro", "order_ttl_s", "60"),
        ("scalper_micro", "daily_max_loss_pct", "2.5"),
        ("regular", "risk_pct", "1"),
        ("regular", "r_multiple", "2"),
        ("regular", "max_concurrent_positions", "4"),
        ("regular", "zone_max_deviation_pct", "1.5"),
    ],
)
def test_the_shipped_values(name: str, key: str, value: str) -> None:
    assert str(getattr(entry_of(name), key)).rstrip("0").rstrip(".") == value.rstrip("0").rstrip(".")
