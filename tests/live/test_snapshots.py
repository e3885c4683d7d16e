"""Indicator values kept at each candle close."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
import redis

from apps.engine.indicators.columns import ALIASES, COLUMNS
from apps.engine.indicators.numpy_columns import PIVOTS
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.state import State
from apps.market import store
from apps.signals import store as signals
from apps.signals.models import IndicatorSnapshot
from apps.signals.store import SnapshotRow
from tests.live.desk import Worker
from tests.live.market import AT, D1, H1, M1, M5, M15, MINUTE, fill, push

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
Key = tuple[str, Timeframe, datetime]

pytestmark = pytest.mark.django_db


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Key]:
    """The key of every snapshot handed to the signals room from now on."""
    seen: list[Key] = []
    save = signals.save_snapshots

    def watched(rows: Iterable[SnapshotRow]) -> int:
        saved = list(rows)
        seen.extend((row.symbol, row.timeframe, row.kline_time) for row in saved)
        return save(saved)

    monkeypatch.setattr(signals, "save_snapshots", watched)
    return seen


def test_every_closed_candle_is_kept_exactly_once_in_its_timeframe(
    broker: redis.Redis, written: list[Key]
) -> None:
    fill(["AUSDT"], [M1, M5, M15], AT - 2 * MINUTE)
    worker = Worker(["AUSDT"], broker=broker)
    for n in range(-1, 7):
        push("AUSDT", AT + n * MINUTE)
        if n in (0, 5):
            push("AUSDT", AT + n * MINUTE, timeframe=M5)
        if n == 0:
            push("AUSDT", AT, timeframe=M15)
        worker.minute(AT + n * MINUTE)
    stored = IndicatorSnapshot.objects.values_list("symbol", "timeframe", "kline_time")
    assert sorted(written) == sorted(stored)
    ends = {tf: [at + tf.duration for _, timeframe, at in written if timeframe == tf] for tf in WINDOW}
    assert ends[M1] == [AT + n * MINUTE for n in range(-1, 7)]
    assert ends[M5] == [AT + n * MINUTE for n in (-5, 0, 5)]
    assert ends[M15] == [AT + n * MINUTE for n in (-15, 0)]
    assert ends[H1] == []


def test_a_candle_that_comes_late_within_its_time_is_kept_when_it_comes(
    broker: redis.Redis, written: list[Key]
) -> None:
    fill(["AUSDT", "BUSDT"], [M15], AT - MINUTE)
    worker = Worker(["AUSDT", "BUSDT"], broker=broker)
    push("AUSDT", AT, timeframe=M15)
    worker.minute(AT)
    push("BUSDT", AT, timeframe=M15)
    worker.minute(AT + MINUTE)
    opened = AT - timedelta(minutes=15)
    assert written == [("AUSDT", M15, opened), ("BUSDT", M15, opened)]


def test_snapshots_hold_every_column_with_7_significant_digits_and_pivots_by_day_only(
    broker: redis.Redis,
) -> None:
    archive = Archive.open(State(date(2026, 3, 1)), symbols=1)
    [symbol] = archive.symbols
    for timeframe, length in WINDOW.items():
        start = MIDNIGHT - length * timeframe.duration
        store.save_candles(archive.candles(symbol, timeframe, start, MIDNIGHT))
    worker = Worker([symbol], broker=broker)
    worker.minute(MIDNIGHT)
    snapshots = {row.timeframe: row for row in IndicatorSnapshot.objects.all()}
    assert snapshots.keys() == WINDOW.keys()
    plain = set(COLUMNS) - ALIASES.keys()
    for timeframe, row in snapshots.items():
        frame = worker.warm.frames().frames[Timeframe(timeframe)]
        assert row.kline_time == MIDNIGHT - Timeframe(timeframe).duration
        assert row.values.keys() == (plain | set(PIVOTS) if timeframe == D1 else plain)
        for name, value in row.values.items():
            exact = float(frame.columns[name][0, -1])
            assert value == (None if exact != exact else float(f"{exact:.7g}")), (timeframe, name)
    assert snapshots[M1].values["rsi"] is not None
    assert snapshots[D1].values["pivot"] is not None


def test_what_is_not_known_yet_is_null(broker: redis.Redis) -> None:
    fill(["AUSDT"], [M1], count=30)
    Worker(["AUSDT"], broker=broker).minute(AT)
    values = IndicatorSnapshot.objects.get().values
    assert (values["close"], values["sma21"], values["ema200"], values["rsi"]) == (101, 101, None, None)
