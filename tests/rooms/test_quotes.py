"""The quote board on a real Redis: exact, short-lived, and never in anybody's way."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import redis
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings
from structlog.testing import capture_logs

from apps.engine.values.position import Quote
from apps.market import quotes
from tests.system.until import until

D = Decimal
AWAY = "redis://127.0.0.1:1/0"


def quote(symbol: str = "AUSDT", bid: str = "100.10", ask: str = "100.2", age_s: float = 0.0) -> Quote:
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    return Quote(symbol, D(bid), D(ask), D("100.15"), D("1E+2"), at)


def test_what_is_put_is_read_as_it_was_by_who_asks_for_it(board: redis.Redis) -> None:
    first, second = quote(), quote("BUSDT", "0.00000001", "0.000000010100")
    quotes.put([first, second])
    assert quotes.read(["AUSDT", "BUSDT", "CUSDT"]) == {"AUSDT": first, "BUSDT": second}
    assert quotes.read(["BUSDT"]) == {"BUSDT": second}
    assert quotes.read([]) == {}


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.decimals("1E-24", "1E+20"), st.decimals("1E-24", "1E+20"))
def test_prices_come_back_digit_for_digit(board: redis.Redis, bid: Decimal, ask: Decimal) -> None:
    assume(bid < ask)
    put = Quote("AUSDT", bid, ask, ask, bid, datetime.now(UTC))
    quotes.put([put])
    read = quotes.read(["AUSDT"])["AUSDT"]
    assert [str(price) for price in (read.bid, read.ask, read.mark, read.last)] == [
        str(price) for price in (put.bid, put.ask, put.mark, put.last)
    ]
    assert read.at == put.at


def test_the_newest_that_is_put_replaces_the_one_before(board: redis.Redis) -> None:
    quotes.put([quote(bid="99")])
    quotes.put([quote(bid="98")])
    assert quotes.read(["AUSDT"])["AUSDT"].bid == 98


def test_a_quote_is_gone_three_seconds_after_it_was_made_not_after_it_was_put(board: redis.Redis) -> None:
    quotes.put([quote(age_s=2.7), quote("BUSDT", age_s=3.1), quote("CUSDT", age_s=-60)])
    assert set(quotes.read(["AUSDT", "BUSDT", "CUSDT"])) == {"AUSDT", "CUSDT"}
    until("it is gone of itself", lambda: not board.exists("quote:AUSDT"), patience_s=1, every_s=0.02)
    assert quotes.read(["AUSDT"]) == {}
    assert 0 < board.pttl("quote:CUSDT") <= 3000


def test_a_quote_that_another_clock_keeps_too_long_is_not_read_when_it_is_old(board: redis.Redis) -> None:
    board.set("quote:AUSDT", quotes._text(quote(age_s=3.5)), px=60_000)
    assert quotes.read(["AUSDT"]) == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1, 2]",
        '["x", "1", "1", "1", "2026-01-01T00:00:00+00:00"]',
        '["1", "2", "1", "1", "2026-01-01T00:00:00"]',
        "\xff",
    ],
)
def test_what_cannot_be_read_is_no_quote_and_costs_only_itself(board: redis.Redis, text: str) -> None:
    quotes.put([quote("BUSDT")])
    board.set("quote:AUSDT", text, px=3000)
    assert set(quotes.read(["AUSDT", "BUSDT"])) == {"BUSDT"}


def test_a_symbol_is_wanted_for_as_long_as_the_longest_wish(board: redis.Redis) -> None:
    now = datetime.now(UTC)
    quotes.want(["AUSDT", "BUSDT"], 60)
    quotes.want(["AUSDT"], 10)
    quotes.want(["CUSDT"], 1e9)
    later = [now + timedelta(seconds=s) for s in (5, 30, 59, 61, 3590, 3605)]
    assert [quotes.wanted(at, 10) for at in later] == [
        {"AUSDT", "BUSDT", "CUSDT"},
        {"AUSDT", "BUSDT", "CUSDT"},
        {"AUSDT", "BUSDT", "CUSDT"},
        {"CUSDT"},
        {"CUSDT"},
        set(),
    ]


def test_of_too_many_those_are_followed_that_are_wanted_for_longest(board: redis.Redis) -> None:
    now = datetime.now(UTC)
    for symbol, for_s in (("LIKELY1", 150), ("HELD", 900), ("READY", 600), ("LIKELY2", 150)):
        quotes.want([symbol], for_s)
    assert quotes.wanted(now, 2) == {"HELD", "READY"}
    assert quotes.wanted(now, 4) == {"HELD", "READY", "LIKELY1", "LIKELY2"}


def test_wishes_leave_no_key_behind(board: redis.Redis) -> None:
    quotes.want([], 60)
    assert not board.exists(quotes.WANTED)
    quotes.want(["AUSDT"], 60)
    assert 0 < board.ttl(quotes.WANTED) <= quotes.LONGEST_WANT_S


def use_all() -> None:
    quotes.want(["AUSDT"], 60)
    quotes.put([quote()])
    assert quotes.wanted(datetime.now(UTC), 10) == set()
    assert quotes.read(["AUSDT"]) == {}


def test_without_redis_there_are_no_quotes_and_that_is_said_once(settings: Settings) -> None:
    settings.REDIS_URL = AWAY
    quotes._link.cache_clear()
    with capture_logs() as said:
        began = time.monotonic()
        for _ in range(5):
            use_all()
    assert time.monotonic() - began < 10
    assert [each["event"] for each in said] == ["quotes_unreachable"]


@pytest.fixture
def hanging() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


def test_a_redis_that_hangs_costs_half_a_second_once_and_not_each_call(
    settings: Settings, hanging: str
) -> None:
    settings.REDIS_URL = hanging
    quotes._link.cache_clear()
    began = time.monotonic()
    for _ in range(20):
        use_all()
    assert time.monotonic() - began < 10  # half a second each would be 40


def test_a_redis_that_is_back_is_used_again(settings: Settings, board: redis.Redis) -> None:
    link = quotes._Link(AWAY)
    with capture_logs() as said:
        assert link.ask(lambda each: each.ping(), None) is None
        link._client = board
        assert link.ask(lambda each: each.ping(), None) is True
        assert link.ask(lambda each: each.ping(), None) is True
    assert [each["event"] for each in said] == ["quotes_unreachable", "quotes_reachable_again"]
