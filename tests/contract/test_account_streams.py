"""The AccountStreams port: whatever changes is said, and after a break that something may be missed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from apps.engine.ports.account import AccountNews
from apps.engine.values.position import Side
from apps.exchange.simulator.market.archive import Archive
from tests.contract.account import Account, opened
from tests.contract.test_broker import SYMBOL, enter, request

LONGEST_S = 15.0
News = Iterator[AccountNews | None]


@pytest.fixture
def account(archive: Archive) -> Iterator[Account]:
    with opened(archive) as opened_account:
        yield opened_account


@pytest.fixture
def news(account: Account) -> News:
    """Connected, and nothing said since."""
    stream = account.streams().account(poll_s=0.02)
    until(stream, lambda found: any(each.reconnected for each in found))
    return stream


def until(news: News, enough: Callable[[list[AccountNews]], bool]) -> list[AccountNews]:
    deadline = time.monotonic() + LONGEST_S
    heard: list[AccountNews] = []
    for each in news:
        if each is not None:
            heard.append(each)
        if enough(heard):
            return heard
        assert time.monotonic() < deadline, f"not enough came: {heard[-3:]}"
    raise AssertionError("the stream ended by itself")


def about(symbol: str | None) -> Callable[[list[AccountNews]], bool]:
    return lambda found: any(each.symbol == symbol and not each.reconnected for each in found)


def test_an_order_that_rests_is_news(account: Account, news: News) -> None:
    account.broker.set_leverage(SYMBOL, 10)
    account.broker.submit(request(account.broker, Side.LONG, "resting", away="0.02"))
    until(news, about(SYMBOL))


def test_a_fill_is_news_of_the_symbol_and_of_the_account(account: Account, news: News) -> None:
    enter(account.broker, Side.LONG)
    until(news, lambda found: about(SYMBOL)(found) and about(None)(found))


def test_pushes_that_come_twice_or_late_are_still_only_news(account: Account, news: News) -> None:
    account.switch(user_duplicate=True, user_reorder=True)
    enter(account.broker, Side.LONG, "first")
    enter(account.broker, Side.SHORT, "second")
    until(news, about(SYMBOL))


def test_a_dropped_connection_comes_back_and_says_so(account: Account, news: News) -> None:
    account.switch(user_drop=True)
    until(news, lambda found: any(each.reconnected for each in found))
    account.broker.set_leverage(SYMBOL, 10)
    account.broker.submit(request(account.broker, Side.LONG, "after", away="0.02"))
    until(news, about(SYMBOL))


def test_a_silent_connection_is_left_for_another(account: Account, news: News) -> None:
    account.switch(user_silence=True)
    ends = time.monotonic() + 1.0  # longer than the adapter bears silence
    until(news, lambda _: time.monotonic() > ends)
    account.switch(user_silence=False)
    until(news, lambda found: any(each.reconnected for each in found))


def test_a_quiet_account_keeps_its_connection(account: Account, news: News) -> None:
    ends = time.monotonic() + 1.5  # more than twice as long as silence may last
    assert until(news, lambda _: time.monotonic() > ends) == []


def test_a_close_ends_the_news(account: Account) -> None:
    stream = account.streams()
    news = stream.account(poll_s=0.02)
    until(news, lambda found: bool(found))
    stream.close()
    assert list(news) == []
