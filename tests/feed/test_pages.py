"""Which requests complete the windows, in which order, and what an answer's holes mean."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from apps.engine.values.candle import Candle, Source
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.feed.backfill import LATER, NEEDED, URGENT, Page, fetch_page, fill_confirmed_holes, window_pages
from apps.market import store
from apps.profiles import store as profiles
from tests.feed import venue

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def candle(open_time: datetime, close: str = "100", timeframe: Timeframe = Timeframe.M1) -> Candle:
    price = Decimal(close)
    return Candle("BTCUSDT", timeframe, open_time, price, price, price, price, Decimal(3), Source.REST)


def test_a_hole_between_two_answered_candles_becomes_flat_candles_without_volume() -> None:
    whole = fill_confirmed_holes([candle(NOON, "100"), candle(NOON + timedelta(minutes=3), "104")])
    assert [(c.open_time.minute, c.close, c.volume, c.source) for c in whole] == [
        (0, Decimal(100), Decimal(3), Source.REST),
        (1, Decimal(100), Decimal(0), Source.EMPTY),
        (2, Decimal(100), Decimal(0), Source.EMPTY),
        (3, Decimal(104), Decimal(3), Source.REST),
    ]


def test_an_empty_answer_confirms_nothing() -> None:
    assert fill_confirmed_holes([]) == []


@pytest.mark.django_db
def test_an_empty_market_is_planned_in_pages_that_cover_every_window_once() -> None:
    pages = window_pages(["BTCUSDT"], profiles.configured_profiles(), now=NOON, page_size=497)
    for timeframe, length in WINDOW.items():
        of_timeframe = sorted((p for p in pages if p.timeframe is timeframe), key=lambda p: p.start)
        assert of_timeframe[0].start == timeframe.floor(NOON) - length * timeframe.duration
        assert of_timeframe[-1].end == timeframe.floor(NOON)
        assert all(a.end == b.start for a, b in itertools.pairwise(of_timeframe))
        assert all((p.end - p.start) // timeframe.duration <= 497 for p in of_timeframe)


@pytest.mark.django_db
def test_what_the_profiles_need_comes_first_and_covers_their_minimum_and_the_day() -> None:
    configured = profiles.configured_profiles()
    pages = window_pages(["BTCUSDT"], configured, now=NOON, page_size=497)
    ranks = [p.rank for p in pages]
    assert ranks == sorted(ranks)
    assert set(ranks) == {NEEDED, LATER}
    for timeframe in (Timeframe.H1, Timeframe.M1):
        needed = [p for p in pages if p.timeframe is timeframe and p.rank == NEEDED]
        held = (timeframe.floor(NOON) - min(p.start for p in needed)) // timeframe.duration
        wanted = max(p.min_candles(timeframe) for p in configured if timeframe in p.timeframes)
        assert held >= wanted
    minutes = [p for p in pages if p.timeframe is Timeframe.M1 and p.rank == NEEDED]
    assert min(p.start for p in minutes) <= NOON.replace(hour=0)


@pytest.mark.django_db
def test_a_stored_market_asks_only_for_what_is_missing() -> None:
    start = NOON - timedelta(minutes=WINDOW[Timeframe.M1])
    opens = [start + timedelta(minutes=n) for n in range(WINDOW[Timeframe.M1])]
    store.save_candles([candle(o) for o in opens if o not in {opens[-3], opens[-2], opens[100]}])
    pages = window_pages(["BTCUSDT"], [], now=NOON, page_size=497, urgent=True)
    requests = [(p.start, p.end, p.rank) for p in pages if p.timeframe is Timeframe.M1]
    assert requests == [
        (opens[-3], opens[-1], URGENT),
        (opens[100], opens[101], URGENT),
    ]


@pytest.mark.django_db
def test_the_newest_candles_are_asked_for_again_where_only_pushes_tell_of_them() -> None:
    opens = [NOON - timedelta(minutes=n) for n in range(WINDOW[Timeframe.M1], 0, -1)]
    pushed = {opens[-5], opens[-4], opens[-3], opens[-1]}
    store.save_candles([replace(candle(o), source=Source.WS) if o in pushed else candle(o) for o in opens])
    pages = window_pages(["BTCUSDT"], [], now=NOON, page_size=497, urgent=True)
    assert [(p.start, p.end) for p in pages if p.timeframe is Timeframe.M1] == [(opens[-3], NOON)]
    store.save_candles([replace(candle(o), source=Source.REST) for o in opens[-3:]])
    assert not [
        p for p in window_pages(["BTCUSDT"], [], now=NOON, page_size=497) if p.timeframe is Timeframe.M1
    ]


def test_an_answer_with_an_impossible_row_confirms_no_hole() -> None:
    page = Page(URGENT, 0, 60, "AUSDT", Timeframe.M1, NOON, NOON + timedelta(minutes=3))
    held = [venue.candle(NOON), venue.candle(NOON + timedelta(minutes=2))]
    assert [c.source for c in fetch_page(venue.History(held), page)] == [
        Source.REST,
        Source.EMPTY,
        Source.REST,
    ]
    assert fetch_page(venue.History(held, refused=1), page) == held
