"""The filler: history in order of need, holes as they appear, faults that heal and faults that do not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from apps.engine.ports.market import Gap
from apps.engine.values.candle import Source
from apps.engine.values.errors import TradingError
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.feed import gap_filler as module
from apps.feed.announcement import redis_client
from apps.feed.gap_filler import HEAD_AFTER, GapFiller
from apps.feed.quote_feed import QuotePulse
from apps.feed.stream import Stream
from apps.market import store
from apps.market.models import Kline
from apps.profiles import store as profiles
from tests.feed.venue import MINUTE, NOON, Clock, History, Request, Script, candle, push

PAGE = 499
BEFORE_ITS_LOOK = HEAD_AFTER - timedelta(milliseconds=1)
M1 = Timeframe.M1

pytestmark = pytest.mark.django_db(transaction=True)


class Busy(TradingError):
    retryable = True


@contextmanager
def filling(history: History, clock: Clock, *symbols: str) -> Iterator[GapFiller]:
    """A running filler; the block begins when its plan is complete, or a fault ended it."""
    running = GapFiller(history, symbols, profiles.configured_profiles(), page_size=PAGE, clock=clock)
    running.start()
    try:
        wait(lambda: running.progress["complete"] or running.fault is not None)
        yield running
    finally:
        running.stop()
        running.join(timeout=10)
    assert not running.is_alive()


def wait(reached: Callable[[], bool]) -> None:
    """Look again and again, 10 s at most."""
    deadline = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < deadline, "not reached within 10 s"
        time.sleep(0.01)


def whole(symbol: str, until: datetime = NOON, *, without: tuple[tuple[Timeframe, int], ...] = ()) -> None:
    """Store a whole window of every timeframe, but for the n-th candles before `until`."""
    store.save_candles(
        candle(timeframe.floor(until) - n * timeframe.duration, symbol, timeframe=timeframe)
        for timeframe, length in WINDOW.items()
        for n in range(1, length + 1)
        if (timeframe, n) not in without
    )


def opens(symbol: str, source: Source) -> list[int]:
    """Minutes before noon at which stored 1m candles of that source open, oldest first."""
    rows = Kline.objects.filter(symbol=symbol, timeframe=M1, source=source).order_by("open_time")
    return [(NOON - row.open_time) // MINUTE for row in rows]


def test_what_the_profiles_need_is_asked_first_and_everything_once() -> None:
    history = History()
    with filling(history, Clock(NOON + BEFORE_ITS_LOOK), "AUSDT", "BUSDT") as done:
        assert done.progress["enough"]
    assert len(set(history.asked)) == len(history.asked) == done.progress["pages"]
    needed = {request[1] for request in history.asked[:8]}
    assert Timeframe.H4 not in needed
    last_of_h4 = [n for n, request in enumerate(history.asked) if request[1] is Timeframe.H4]
    first_of_m5 = [n for n, request in enumerate(history.asked) if request[1] is Timeframe.M5]
    assert first_of_m5[0] < last_of_h4[0]


def test_enough_is_said_before_everything_is_there() -> None:
    seen: list[tuple[bool, bool, int]] = []
    history = History()
    clock = Clock(NOON + BEFORE_ITS_LOOK)
    subject = GapFiller(history, ["AUSDT"], profiles.configured_profiles(), page_size=PAGE, clock=clock)

    def note(_: Request) -> None:
        now = subject.progress
        seen.append((now["enough"], now["complete"], now["left"]))
        if now["left"] == 1:
            subject.stop()

    history.on_request = note
    subject.start()
    subject.join(timeout=10)
    assert not seen[0][0]
    assert seen[-1] == (True, False, 1)
    assert [left for _, _, left in seen] == list(range(len(seen), 0, -1))


def test_an_interrupted_symbol_goes_before_all_others() -> None:
    history = History()
    clock = Clock(NOON + BEFORE_ITS_LOOK)
    subject = GapFiller(
        history, ["AUSDT", "BUSDT"], profiles.configured_profiles(), page_size=PAGE, clock=clock
    )

    def interrupt(_: Request) -> None:
        if len(history.asked) == 4:
            subject.refill(["BUSDT"])
        elif len(history.asked) == 4 + 12:
            subject.stop()

    history.on_request = interrupt
    subject.start()
    subject.join(timeout=10)
    assert [symbol for symbol, *_ in history.asked[:4]] == ["AUSDT", "BUSDT"] * 2
    assert {symbol for symbol, *_ in history.asked[4:]} == {"BUSDT"}
    assert {timeframe for _, timeframe, *_ in history.asked[4:]} == set(WINDOW)


def test_holes_that_the_exchange_confirms_are_flat_at_a_page_s_edge_too_and_rolled_up() -> None:
    whole("AUSDT", without=((M1, 5), (M1, 4), (Timeframe.M5, 1)))
    history = History([candle(NOON - n * MINUTE, close="103") for n in range(1, 11) if n not in (5, 4)])
    with filling(history, Clock(NOON + BEFORE_ITS_LOOK), "AUSDT"):
        pass
    assert opens("AUSDT", Source.EMPTY) == [5, 4]
    flat = Kline.objects.filter(source=Source.EMPTY).first()
    assert flat is not None
    assert (flat.open_price, flat.close_price, flat.volume) == (Decimal(103), Decimal(103), Decimal(0))
    rolled = Kline.objects.get(timeframe=Timeframe.M5, open_time=NOON - 5 * MINUTE)
    assert (rolled.source, rolled.open_price, rolled.close_price) == ("ROLLUP", Decimal(103), Decimal(100))


def test_a_hole_that_the_exchange_does_not_confirm_stays_one() -> None:
    whole("AUSDT", without=((M1, 1),))
    history = History([candle(NOON - 2 * MINUTE)])
    with filling(history, Clock(NOON + BEFORE_ITS_LOOK), "AUSDT"):
        pass
    assert [request[1:] for request in history.asked] == [(M1, NOON - 2 * MINUTE, NOON + MINUTE)]
    assert opens("AUSDT", Source.EMPTY) == []
    assert store.missing_open_times(["AUSDT"], M1, NOON - 9 * MINUTE, NOON) == {"AUSDT": [NOON - MINUTE]}


def looked(subject: GapFiller, clock: Clock, at: datetime) -> None:
    """The filler has looked around, and done what it saw, with the clock at `at`."""
    clock.at = at
    before = clock.asked

    def twice() -> bool:
        subject.refill(())
        return clock.asked > before + 1

    wait(twice)


def test_a_candle_that_was_never_pushed_is_asked_for_5_s_after_its_minute_and_not_before() -> None:
    whole("AUSDT")
    clock = Clock(NOON + BEFORE_ITS_LOOK)
    history = History([candle(NOON)])
    with filling(history, clock, "AUSDT") as subject:
        looked(subject, clock, NOON + MINUTE + BEFORE_ITS_LOOK)
        assert history.asked == []
        looked(subject, clock, NOON + MINUTE + HEAD_AFTER)
        assert history.asked == [("AUSDT", M1, NOON - MINUTE, NOON + 2 * MINUTE)]
        wait(lambda: opens("AUSDT", Source.REST)[-1] == 0)


def test_a_fault_that_heals_is_waited_for_and_the_same_page_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    whole("AUSDT", without=((M1, 7), (Timeframe.H1, 2)))
    history = History([candle(NOON - 7 * MINUTE)], faults=[Busy("429"), Busy("429")])
    with filling(history, Clock(NOON + BEFORE_ITS_LOOK), "AUSDT"):
        pass
    assert [timeframe for _, timeframe, *_ in history.asked] == [M1, M1, M1, Timeframe.H1]
    assert opens("AUSDT", Source.REST)[-7] == 7


def test_a_page_whose_fault_does_not_heal_is_dropped_and_the_others_go_on() -> None:
    whole("AUSDT", without=((M1, 7), (Timeframe.H1, 2)))
    history = History([candle(NOON - 7 * MINUTE)], faults=[TradingError("no such contract")])
    with filling(history, Clock(NOON + BEFORE_ITS_LOOK), "AUSDT") as subject:
        assert subject.fault is None
    assert [timeframe for _, timeframe, *_ in history.asked] == [M1, Timeframe.H1]


def test_any_other_fault_ends_the_filler_and_is_kept_for_the_stream() -> None:
    broken = KeyError("open_time")
    with filling(History(faults=[broken]), Clock(), "AUSDT") as subject:
        subject.join(timeout=10)
        assert subject.fault is broken


def test_after_a_gap_in_the_stream_what_was_missed_is_fetched_and_what_was_cut_short_is_corrected() -> None:
    """Pushes stop in the middle of 12:01, which its grace closes; none of 12:02 comes."""
    whole("AUSDT", NOON + MINUTE)
    clock = Clock(NOON + MINUTE + BEFORE_ITS_LOOK)
    history = History([candle(NOON + n * MINUTE, close=str(106 + n)) for n in range(3)])
    with filling(history, clock, "AUSDT") as subject:
        script = Script(
            clock,
            [
                push(NOON + MINUTE),
                58.0,
                lambda: wait(lambda: stored_closes() == [("WS", 100)]),
                57.0,
                Gap(("AUSDT",), "reconnected"),
                lambda: wait(lambda: stored_closes() == [("REST", 107), ("REST", 108)]),
            ],
        )
        client = redis_client()
        Stream(script, subject, client, ["AUSDT"], clock=clock, wanted=lambda: (), quotes=QuotePulse).run(
            threading.Event()
        )


def stored_closes() -> list[tuple[str, int]]:
    """(source, close) of the 1m candles from 12:01 on."""
    rows = Kline.objects.filter(timeframe=M1, open_time__gt=NOON).order_by("open_time")
    return [(row.source, int(row.close_price)) for row in rows]
