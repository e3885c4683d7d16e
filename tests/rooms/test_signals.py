"""Snapshots, signals and standing outcomes: written in bulk, replaced by a later judgement."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection

from apps.engine.profile import Phase
from apps.engine.values.timeframe import Timeframe
from apps.signals import store
from apps.signals.models import IndicatorSnapshot, MtfState, Signal, SignalSide, ValidationCache
from tests.rooms.builders import DIGEST, T0, outcome, signal, snapshot

pytestmark = pytest.mark.django_db

M5 = timedelta(minutes=5)


def test_a_snapshot_keeps_seven_digits_and_an_unknown_value_is_null() -> None:
    values = {"close": 100.5, "rsi": 51.23456789, "tiny": 1.23456789e-9, "adx": float("nan")}
    store.save_snapshots([snapshot(values=values)])
    assert IndicatorSnapshot.objects.get().values == {
        "close": 100.5,
        "rsi": 51.23457,
        "tiny": 1.234568e-9,
        "adx": None,
    }


def test_a_later_snapshot_of_the_same_candle_replaces_it_and_an_equal_one_writes_nothing() -> None:
    store.save_snapshots([snapshot()])
    assert store.save_snapshots([snapshot()]) == 0
    assert store.save_snapshots([snapshot(values={"close": 7.0})]) == 1
    assert IndicatorSnapshot.objects.get().values == {"close": 7.0}


def test_an_infinite_value_is_refused_by_name_and_nothing_is_stored() -> None:
    with pytest.raises(ValueError, match="ETHUSDT 5m"):
        store.save_snapshots([snapshot(), snapshot(symbol="ETHUSDT", values={"rsi": float("inf")})])
    assert not IndicatorSnapshot.objects.exists()


def test_a_column_name_cannot_break_the_snapshot() -> None:
    store.save_snapshots([snapshot(values={'odd "name" 100%s\\': 1.0})])
    assert IndicatorSnapshot.objects.get().values == {'odd "name" 100%s\\': 1.0}


def test_snapshots_live_in_the_partition_of_their_timeframe() -> None:
    store.save_snapshots(
        [snapshot(timeframe=timeframe, kline_time=timeframe.floor(T0)) for timeframe in Timeframe]
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text, timeframe::text FROM indicator_snapshots")
        assert all(table == f"indicator_snapshots_{timeframe}" for table, timeframe in cursor.fetchall())


def test_a_signal_is_one_per_profile_symbol_timeframe_phase_and_candle() -> None:
    assert store.save_signals([signal(), signal(profile="other"), signal(phase=Phase.EXECUTION)]) == 3
    assert store.save_signals([signal()]) == 0
    assert store.save_signals([signal(side=SignalSide.NONE, meta={"why": "tab\there \\ there"})]) == 1
    stored = Signal.objects.get(profile="regular", phase="context")
    assert (stored.side, stored.meta) == ("NONE", {"why": "tab\there \\ there"})
    assert Signal.objects.count() == 3


@pytest.mark.parametrize(
    ("save", "row"),
    [
        (store.save_signals, signal(kline_time=T0 + timedelta(minutes=1))),
        (store.save_snapshots, snapshot(kline_time=T0 + timedelta(minutes=1))),
    ],
    ids=["signal", "snapshot"],
)
def test_a_time_that_no_candle_of_the_timeframe_opens_at_is_refused(save, row) -> None:
    with pytest.raises(IntegrityError, match="aligned"):
        save([row])


def test_the_newest_signal_of_each_symbol_timeframe_and_phase_stands() -> None:
    store.save_signals(
        [
            signal(),
            signal(kline_time=T0 + M5, side=SignalSide.SHORT),
            signal(phase=Phase.EXECUTION, kline_time=T0 + M5, side=SignalSide.NONE),
            signal(symbol="ETHUSDT", timeframe=Timeframe.M1),
            signal(symbol="ETHUSDT", timeframe=Timeframe.H4, side=SignalSide.SHORT),
            signal(profile="other", kline_time=T0 + 2 * M5),
        ]
    )
    assert store.newest_signals("regular") == {
        ("BTCUSDT", Timeframe.M5, Phase.CONTEXT): SignalSide.SHORT,
        ("BTCUSDT", Timeframe.M5, Phase.EXECUTION): SignalSide.NONE,
        ("ETHUSDT", Timeframe.M1, Phase.CONTEXT): SignalSide.LONG,
        ("ETHUSDT", Timeframe.H4, Phase.CONTEXT): SignalSide.SHORT,
    }
    assert store.newest_signals("nobody") == {}


def test_the_state_shows_each_standing_outcome_in_columns() -> None:
    store.save_outcomes(
        [
            outcome(),
            outcome(
                symbol="ETHUSDT",
                side=SignalSide.NONE,
                outcome="invalid",
                reason="candle_gap",
                kline_time=None,
            ),
        ]
    )
    states = {state.symbol: state for state in MtfState.objects.all()}
    btc, eth = states["BTCUSDT"], states["ETHUSDT"]
    assert (btc.profile, btc.digest, btc.timeframe, btc.phase) == ("regular", DIGEST, "5m", "context")
    assert (btc.kline_time, btc.side, btc.outcome, btc.reason) == (T0, "LONG", "long", None)
    assert (eth.kline_time, eth.side, eth.outcome, eth.reason) == (None, "NONE", "invalid", "candle_gap")


def test_an_outcome_is_replaced_in_place_and_a_new_digest_takes_over_the_state() -> None:
    store.save_outcomes([outcome()])
    store.save_outcomes([outcome(outcome="neutral", details={"leaves": 3})])
    assert ValidationCache.objects.get().payload["leaves"] == 3
    ValidationCache.objects.update(updated_at=T0)
    store.save_outcomes([outcome(digest="e" * 64, outcome="short")])
    assert [(state.digest[0], state.outcome) for state in MtfState.objects.all()] == [("e", "short")]
