"""The stream's loop: pushes in, candles stored and rolled up, the minute announced."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

import pytest
import redis

from apps.engine.ports.market import Gap
from apps.engine.values.candle import Source
from apps.engine.values.timeframe import Timeframe
from apps.feed.gap_filler import GapFiller
from apps.feed.models import StreamHealth
from apps.feed.quote_feed import QuotePulse
from apps.feed.stream import Stream
from apps.market import store
from apps.market.models import Kline
from tests.feed.venue import MINUTE, NOON, Clock, History, Script, Step, candle, push

SYMBOLS = ("AUSDT", "BUSDT")

pytestmark = pytest.mark.django_db


@dataclass
class Announced:
    """One announcement: for which minute, when by the stream's clock, of whom, and what was stored then."""

    key: str
    after_s: float
    missing: list[str]
    stored: set[tuple[str, str]]


@dataclass
class Board:
    """Stands for Redis: notes each announcement; `fault` is raised instead."""

    clock: Clock
    fault: redis.RedisError | None = None
    notes: list[Announced] = field(default_factory=list)

    def set(self, key: str, value: str, ex: int) -> None:
        if self.fault is not None:
            raise self.fault
        minute = datetime.fromisoformat(key.removeprefix("ready:"))
        newest = {
            (row.symbol, row.timeframe)
            for row in Kline.objects.all()
            if row.open_time + Timeframe(row.timeframe).duration == minute
        }
        after_s = round((self.clock() - minute).total_seconds(), 2)
        self.notes.append(Announced(key, after_s, json.loads(value)["missing"], newest))


@dataclass
class Feed:
    """A stream and what surrounds it, by a clock that starts at 12:00:50."""

    clock: Clock = field(default_factory=lambda: Clock(NOON + timedelta(seconds=50)))
    history: History = field(default_factory=History)

    def __post_init__(self) -> None:
        self.board = Board(self.clock)
        self.misses_some = False
        self.quotes = QuotePulse()
        self.filler = GapFiller(self.history, SYMBOLS, [], page_size=499, clock=self.clock)

    def play(
        self,
        *steps: Step,
        symbols: Sequence[str] = SYMBOLS,
        stop: threading.Event | None = None,
        wanted: Sequence[str] = (),
    ) -> list[Announced]:
        script = Script(self.clock, steps)
        client = cast(redis.Redis, self.board)
        stream = Stream(
            script,
            self.filler,
            client,
            symbols,
            clock=self.clock,
            wanted=lambda: wanted,
            quotes=lambda: self.quotes,
        )
        self.misses_some = stream.run(stop or threading.Event())
        assert script.asked == tuple(symbols)
        return self.board.notes


def stored(timeframe: Timeframe = Timeframe.M1) -> list[tuple[str, int, str]]:
    """(symbol, minute of its open, source), by symbol and time."""
    rows = Kline.objects.filter(timeframe=timeframe).order_by("symbol", "open_time")
    return [(row.symbol, row.open_time.minute, row.source) for row in rows]


def both(open_time: datetime) -> list[Step]:
    return [push(open_time, symbol) for symbol in SYMBOLS]


def test_a_minute_is_announced_as_soon_as_every_live_symbol_is_in_and_not_before() -> None:
    feed = Feed()
    notes = feed.play(
        *both(NOON), 10.3, push(NOON + MINUTE, "AUSDT"), 0.3, push(NOON + MINUTE, "BUSDT"), 0.1, 1.0
    )
    [note] = notes
    assert (note.key, note.missing) == ("ready:2026-05-04T12:01Z", [])
    assert 0.6 <= note.after_s <= 0.7
    assert note.stored == {(symbol, "1m") for symbol in SYMBOLS}
    assert stored() == [("AUSDT", 0, "WS"), ("BUSDT", 0, "WS")]


def test_a_symbol_that_trades_no_more_is_closed_by_its_grace_and_announced_with_the_others() -> None:
    [note] = Feed().play(*both(NOON), 10.1, push(NOON + MINUTE, "AUSDT"), 2.0)
    assert (note.missing, note.stored) == ([], {(symbol, "1m") for symbol in SYMBOLS})
    assert 1.3 <= note.after_s < 1.5


def test_a_minute_is_announced_after_1500_ms_with_the_names_of_those_who_are_missing() -> None:
    feed = Feed()
    notes = feed.play(*both(NOON), 10.1, push(NOON + MINUTE), 60.0, push(NOON + 2 * MINUTE), 3.0)
    assert notes[1].missing == ["BUSDT"]
    assert 1.5 <= notes[1].after_s <= 1.6


def test_a_candle_that_closes_at_the_last_moment_is_stored_before_the_announcement() -> None:
    notes = Feed().play(*both(NOON), 10.1, 61.3, push(NOON + MINUTE, "BUSDT"), 1.0)
    assert (notes[1].missing, notes[1].stored) == (["AUSDT"], {("BUSDT", "1m")})


def test_a_symbol_silent_for_minutes_is_not_waited_for() -> None:
    feed = Feed()
    steps: list[Step] = [*both(NOON), 10.1]
    for n in range(1, 5):
        steps += [push(NOON + n * MINUTE), 60.0]
    notes = feed.play(*steps)
    assert [note.missing for note in notes] == [[], ["BUSDT"], ["BUSDT"], []]
    assert notes[-1].after_s <= 0.2


def test_every_timeframe_is_rolled_up_before_the_minute_is_announced() -> None:
    hour_end = NOON + timedelta(hours=4)
    finer = {Timeframe.M5: Timeframe.M1, Timeframe.M15: Timeframe.M5}
    finer |= {Timeframe.H1: Timeframe.M15, Timeframe.H4: Timeframe.H1}
    last = hour_end - MINUTE
    for timeframe, below in finer.items():
        opens = [hour_end - n * below.duration for n in range(2, timeframe.seconds // below.seconds + 1)]
        store.save_candles([candle(at, timeframe=below) for at in opens])
    feed = Feed(Clock(last + timedelta(seconds=50)))
    [note] = feed.play(push(last), 10.1, push(hour_end), 1.0, symbols=("AUSDT",))
    assert note.key == "ready:2026-05-04T16:00Z"
    assert note.stored == {("AUSDT", tf) for tf in ("1m", "5m", "15m", "1h", "4h")}


def test_a_venue_whose_clock_is_ahead_of_ours_has_its_candles_rolled_up_all_the_same() -> None:
    opens = [NOON + n * MINUTE for n in range(4)]
    store.save_candles([candle(at) for at in opens])
    feed = Feed(Clock(NOON + 4 * MINUTE + timedelta(seconds=50)))
    feed.play(push(NOON + 4 * MINUTE), 9.5, push(NOON + 5 * MINUTE), 3.0, symbols=("AUSDT",))
    assert stored(Timeframe.M5) == [("AUSDT", 0, "ROLLUP")]


def test_the_minute_in_which_the_stream_starts_is_not_announced_as_over() -> None:
    assert Feed().play(*both(NOON), 9.0) == []


def test_nobody_pushing_does_not_hold_the_minute_back() -> None:
    [note] = Feed().play(10.2)
    assert (note.missing, note.stored) == ([], set())
    assert note.after_s <= 0.2


def test_candles_are_stored_and_the_stream_goes_on_when_redis_is_dead() -> None:
    feed = Feed()
    feed.board.fault = redis.ConnectionError("refused")
    feed.play(*both(NOON), 10.1, *both(NOON + MINUTE), 60.0, *both(NOON + 2 * MINUTE), 1.0)
    assert stored() == [(symbol, minute, "WS") for symbol in SYMBOLS for minute in (0, 1)]


def test_an_impossible_candle_is_not_stored_and_holds_nobody_back() -> None:
    bad = push(NOON, "BUSDT", high="90")
    [note] = Feed().play(push(NOON), bad, 10.1, *both(NOON + MINUTE), 0.3)
    assert stored() == [("AUSDT", 0, "WS")]
    assert note.missing == []


def test_a_gap_is_handed_to_the_filler_and_what_was_forming_is_not_trusted() -> None:
    feed = Feed()
    feed.play(*both(NOON), 10.1, Gap(("BUSDT",), "reconnected"), *both(NOON + MINUTE), 1.0)
    assert stored() == [("AUSDT", 0, "WS")]
    assert feed.filler._gaps == {"BUSDT"}
    assert StreamHealth.objects.get().reconnects == 1


def test_a_fault_of_the_filler_ends_the_stream_with_it() -> None:
    feed = Feed()

    def breaks() -> None:
        feed.filler.fault = RuntimeError("no space left")

    with pytest.raises(RuntimeError, match="no space left"):
        feed.play(*both(NOON), 0.1, breaks, 0.1)


def test_the_stream_ends_when_it_is_told_to() -> None:
    stop = threading.Event()
    feed = Feed()
    assert feed.play(*both(NOON), 1.0, stop.set, 60.0, stop=stop) == []
    assert feed.clock() < NOON + MINUTE


def test_the_pulse_says_what_arrived_and_whether_anything_does() -> None:
    feed = Feed()
    seen: list[StreamHealth] = []

    def look() -> None:
        seen.append(StreamHealth.objects.get())

    start = feed.clock()
    feed.quotes = QuotePulse(7, NOON)
    feed.play(*both(NOON), 10.1, *both(NOON + MINUTE), 1.5, look, 20.0, look)
    alive, silent = seen
    assert (alive.quote_symbols, alive.last_quote_at) == (7, NOON)
    assert (alive.connected, alive.symbols, alive.reconnects) == (True, 2, 0)
    assert (alive.last_candle_at, alive.started_at) == (NOON + MINUTE, start)
    assert alive.last_message_at == NOON + MINUTE + timedelta(seconds=0.1)
    assert alive.history == {"pages": 0, "left": 0, "enough": False, "complete": False}
    assert silent.connected is False
    assert feed.clock() - silent.updated_at <= timedelta(seconds=1)


def test_a_push_of_a_candle_that_rest_stored_already_changes_nothing() -> None:
    store.save_candles([candle(NOON, close="100.7", source=Source.REST)])
    Feed().play(push(NOON), 10.1, push(NOON + MINUTE), 1.0, symbols=("AUSDT",))
    assert stored() == [("AUSDT", 0, "REST")]


@pytest.mark.parametrize(
    ("wanted", "ends_at_s"),
    [(["AUSDT"], 90), ([*SYMBOLS, "CUSDT"], 20)],
    ids=["fewer are wanted", "one more is wanted"],
)
def test_a_stream_ends_in_a_quiet_second_when_a_symbol_is_wanted_that_it_does_not_have(
    wanted: list[str], ends_at_s: float
) -> None:
    feed = Feed()
    feed.play(*both(NOON), 100.0, wanted=wanted)
    assert (feed.clock() - NOON - MINUTE).total_seconds() == pytest.approx(ends_at_s, abs=0.2)
    assert feed.misses_some is (ends_at_s == 20)
