"""What warm windows read, what they give out, and the cases in which they could go wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.engine.frame import Floats, Windows
from apps.engine.indicators import talib_columns
from apps.engine.values.candle import Source
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.live import windows
from apps.live.windows import SLACK, Warm
from apps.market import store
from apps.market.table import CandleTable
from tests.live.desk import PLAIN
from tests.live.frames import cold, differences
from tests.live.market import AT, LONG, M1, M5, M15, MINUTE, SHORT, candle, fill, push, run_of

SYMBOLS = ("AUSDT", "BUSDT")

pytestmark = pytest.mark.django_db


class Read(NamedTuple):
    """One look at the table."""

    symbols: tuple[str, ...]
    timeframe: Timeframe
    until: datetime
    length: int


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Read]:
    """Everything read from the table from now on."""
    seen: list[Read] = []

    class Watched(CandleTable):
        def windows(
            self, symbols: Sequence[str], timeframe: Timeframe, *, until: datetime, length: int
        ) -> Windows:
            seen.append(Read(tuple(symbols), timeframe, until, length))
            return super().windows(symbols, timeframe, until=until, length=length)

    monkeypatch.setattr(windows, "CandleTable", Watched)
    return seen


@pytest.fixture
def warm() -> Warm:
    """Two symbols, whole in 1m and 5m, refreshed at noon."""
    fill(SYMBOLS, [M1, M5], count=70)
    windows = Warm(SYMBOLS, [])
    windows.refresh(AT)
    return windows


def closes(warm: Warm, symbol: str, timeframe: Timeframe = M1, count: int = 3) -> list[float]:
    """The newest closes of the frame, oldest first."""
    row = SYMBOLS.index(symbol)
    newest: list[float] = warm.frames().frames[timeframe].columns["close"][row, -count:].tolist()
    return newest


def test_a_refresh_without_news_reads_no_candle(warm: Warm, reads: list[Read]) -> None:
    warm.refresh(AT)
    assert reads == []


def test_a_new_candle_is_read_alone_and_an_unchanged_series_is_not_read_again(
    warm: Warm, reads: list[Read]
) -> None:
    push("AUSDT", AT + MINUTE, SHORT)
    warm.refresh(AT + MINUTE)
    assert reads == [Read(("AUSDT",), M1, AT + MINUTE, 1)]
    assert closes(warm, "AUSDT") == [101, 101, 99]
    assert np.isnan(closes(warm, "BUSDT")[-1])


def test_symbols_that_grew_alike_are_read_together(warm: Warm, reads: list[Read]) -> None:
    for at in (AT + MINUTE, AT + 2 * MINUTE):
        for symbol in SYMBOLS:
            push(symbol, at)
    warm.refresh(AT + 2 * MINUTE)
    assert [(set(read.symbols), read.length) for read in reads] == [(set(SYMBOLS), 2)]


def test_a_corrected_candle_has_its_whole_window_read_again_and_no_other(
    warm: Warm, reads: list[Read]
) -> None:
    store.save_candles([candle("BUSDT", M1, AT - 2 * MINUTE, SHORT, Source.REST)])
    warm.refresh(AT)
    assert [(read.symbols, read.timeframe, read.length) for read in reads] == [(("BUSDT",), M1, WINDOW[M1])]
    assert closes(warm, "BUSDT") == [99, 101, 101]


def test_an_old_correction_beside_a_head_that_moved_over_a_hole_is_seen_when_the_hole_is_mended(
    warm: Warm,
) -> None:
    """Two changed rows and two steps of the head, yet not two appended candles."""
    store.save_candles([candle("AUSDT", M1, AT - 2 * MINUTE, SHORT, Source.REST)])
    push("AUSDT", AT + 2 * MINUTE)
    warm.refresh(AT + 2 * MINUTE)
    assert differences(warm, cold(SYMBOLS, AT + 2 * MINUTE)) == []
    push("AUSDT", AT + MINUTE)
    warm.refresh(AT + 2 * MINUTE)
    assert closes(warm, "AUSDT", count=5) == [99, 101, 101, 101, 101]


@pytest.mark.parametrize("known", [True, False], ids=["windows were warm", "windows were cold"])
def test_a_candle_stored_before_its_minute_was_over_is_there_when_it_is(known: bool) -> None:
    """The venue's clock may be ahead of ours."""
    fill(SYMBOLS, [M1], count=70)
    warm = Warm(SYMBOLS, [])
    if known:
        warm.refresh(AT)
    push("AUSDT", AT + MINUTE, SHORT)
    warm.refresh(AT)
    assert closes(warm, "AUSDT") == [101, 101, 101]
    warm.refresh(AT + MINUTE)
    assert closes(warm, "AUSDT") == [101, 101, 99]


def test_a_missing_candle_that_arrives_minutes_later_mends_the_window(warm: Warm) -> None:
    for n in (1, 3):
        push("AUSDT", AT + n * MINUTE)
        warm.refresh(AT + n * MINUTE)
    assert warm.frames().length[M1][0] == 1
    push("AUSDT", AT + 2 * MINUTE, SHORT)
    warm.refresh(AT + 3 * MINUTE)
    assert warm.frames().length[M1][0] == 70 + 3
    assert closes(warm, "AUSDT") == [101, 99, 101]


def test_an_earlier_moment_is_read_anew(warm: Warm) -> None:
    push("AUSDT", AT + MINUTE, SHORT)
    warm.refresh(AT + MINUTE)
    warm.refresh(AT - MINUTE)
    assert differences(warm, cold(SYMBOLS, AT - MINUTE)) == []


@pytest.mark.parametrize("jump", [SLACK - 1, SLACK + 1, WINDOW[M1] - 1, WINDOW[M1] + 5])
def test_after_a_long_sleep_the_windows_are_whole(warm: Warm, jump: int) -> None:
    later = AT + jump * MINUTE
    store.save_candles(run_of("AUSDT", M1, later, min(jump, 200), SHORT))
    warm.refresh(later)
    assert differences(warm, cold(SYMBOLS, later)) == []


def test_hours_of_minutes_slide_the_window_without_losing_a_candle(warm: Warm) -> None:
    for n in range(1, SLACK + 5):
        push("AUSDT", AT + n * MINUTE, str(100 + n))
        warm.refresh(AT + n * MINUTE)
    assert differences(warm, cold(SYMBOLS, AT + (SLACK + 4) * MINUTE)) == []


def test_a_symbol_listed_later_joins(warm: Warm) -> None:
    wider = Warm((*SYMBOLS, "NEWUSDT"), [])
    wider.refresh(AT)
    fill(["NEWUSDT"], [M1, M5], AT + MINUTE, count=70)
    wider.refresh(AT + MINUTE)
    assert wider.frames().length[M1].tolist() == [70, 70, 70]
    assert wider.frames().late[M1].tolist() == [1, 1, 0]


def test_each_newest_candle_is_unreported_until_it_is_reported(warm: Warm) -> None:
    assert warm.unreported(M1) == [0, 1]
    warm.report(M1, [0])
    assert warm.unreported(M1) == [1]
    warm.report(M1, [1])
    warm.refresh(AT)
    assert warm.unreported(M1) == []


def test_a_late_candle_is_unreported_when_it_comes_and_its_neighbour_is_not_again(warm: Warm) -> None:
    warm.report(M5, warm.unreported(M5))
    later = AT + timedelta(minutes=5)
    push("AUSDT", later, timeframe=M5)
    warm.refresh(later)
    assert warm.unreported(M5) == [0]
    warm.report(M5, [0])
    push("BUSDT", later, timeframe=M5)
    warm.refresh(later + MINUTE)
    assert warm.unreported(M5) == [1]


def test_a_symbol_whose_indicators_raise_stays_named_until_its_own_candles_change(
    warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = talib_columns.series_columns

    def poisoned(calls: Any, high: Floats, low: Floats, close: Floats) -> list[Floats]:
        if close[-1] == 666:
            raise RuntimeError("poison")
        return whole(calls, high, low, close)

    monkeypatch.setattr(talib_columns, "series_columns", poisoned)
    for symbol, close, failed in (
        ("AUSDT", "666", {"AUSDT"}),
        ("BUSDT", SHORT, {"AUSDT"}),
        ("AUSDT", SHORT, set()),
    ):
        push(symbol, AT, close)
        warm.refresh(AT)
        assert warm.frames().failed[M1] == failed
        assert differences(warm, cold(SYMBOLS, AT)) == []


def test_windows_serve_what_they_hold_and_are_deep_enough_for() -> None:
    warm = Warm(SYMBOLS, [PLAIN])
    assert warm.covers(("BUSDT",), PLAIN)
    assert not warm.covers(("BUSDT", "ELSEUSDT"), PLAIN)


def test_without_any_symbol_there_is_nothing_to_judge_and_nothing_breaks() -> None:
    warm = Warm((), [])
    warm.refresh(AT)
    assert warm.frames().symbols == ()
    assert all(warm.unreported(timeframe) == [] for timeframe in WINDOW)


def test_windows_are_read_alike_while_queries_are_logged() -> None:
    """DEBUG gives Django's cursors another class."""
    fill(SYMBOLS, [M1], count=70)
    with CaptureQueriesContext(connection):
        logged = cold(SYMBOLS, AT)
    assert differences(logged, cold(SYMBOLS, AT)) == []


def test_a_15m_candle_is_the_newest_one_until_the_next_quarter_is_over() -> None:
    fill(SYMBOLS, [M15], count=70)
    warm = Warm(SYMBOLS, [])
    warm.refresh(AT + 14 * MINUTE)
    assert (warm.until(M15), warm.until(M1)) == (AT, AT + 14 * MINUTE)
    assert warm.frames().late[M15].tolist() == [0, 0]
    assert closes(warm, "AUSDT", M15, 1) == [float(LONG)]


def test_windows_of_other_symbols_keep_what_is_held_read_only_what_is_new_and_equal_cold_ones(
    warm: Warm, reads: list[Read]
) -> None:
    warm.report(M1, [0, 1])
    fill(["CUSDT", *SYMBOLS], [M1, M5], count=70)
    reads.clear()
    other = warm.with_symbols(("BUSDT", "CUSDT"))
    other.refresh(AT)
    assert {read.symbols for read in reads} == {("CUSDT",)}
    assert differences(other, cold(("BUSDT", "CUSDT"), AT)) == []
    assert other.unreported(M1) == [1]
    for symbol in (*SYMBOLS, "CUSDT"):
        push(symbol, AT + MINUTE)
    again = other.with_symbols(("AUSDT", "BUSDT", "CUSDT"))
    again.refresh(AT + MINUTE)
    assert differences(again, cold(("AUSDT", "BUSDT", "CUSDT"), AT + MINUTE)) == []


def test_windows_of_the_same_symbols_are_the_same_windows(warm: Warm) -> None:
    assert warm.with_symbols(SYMBOLS) is warm
