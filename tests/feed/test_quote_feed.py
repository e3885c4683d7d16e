"""The quote feed: follows who is wanted, shows what is pushed, and is nobody else's trouble."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from pytest_django import Settings

from apps.engine.ports.market import QuoteStreams
from apps.engine.values.position import Quote
from apps.exchange import venue
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.state import State
from apps.exchange.simulator.server import running
from apps.feed import quote_feed as module
from apps.feed.quote_feed import QuoteFeed, QuotePulse
from apps.market import quotes
from tests.system.until import until

BTC, ETH = "BTCUSDT", "ETHUSDT"

pytestmark = pytest.mark.usefixtures("board")


def now() -> datetime:
    return datetime.now(UTC)


def quote(symbol: str, bid: int, age_s: float = 0.0) -> Quote:
    prices = (Decimal(bid), Decimal(bid + 1), Decimal(bid), Decimal(bid))
    return Quote(symbol, *prices, now() - timedelta(seconds=age_s))


class Written:
    """The port QuoteStreams: yields what is `pushed`, raises its faults, and notes each subscription."""

    def __init__(self, *pushed: Quote | Exception) -> None:
        self.pushed = list(pushed)
        self.subscribed: list[set[str]] = []
        self.closed = threading.Event()

    def subscribe(self, symbols: Collection[str]) -> None:
        self.subscribed.append(set(symbols))

    def quotes(self, poll_s: float = 0.1) -> Iterator[Quote | None]:
        while not self.closed.wait(0.002):
            item = self.pushed.pop(0) if self.pushed else None
            if isinstance(item, Exception):
                raise item
            yield item

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def started() -> Iterator[Callable[..., QuoteFeed]]:
    feeds: list[QuoteFeed] = []

    def start(*streams: QuoteStreams) -> QuoteFeed:
        left = list(streams)
        feeds.append(QuoteFeed(lambda: left.pop(0), clock=now))
        feeds[-1].start()
        return feeds[-1]

    yield start
    for feed in feeds:
        feed.stop()
        assert not feed._thread.is_alive()


Start = Callable[..., QuoteFeed]


def test_the_newest_quote_of_each_symbol_is_shown(started: Start) -> None:
    feed = started(Written(quote(BTC, 1), quote(ETH, 5), quote(BTC, 2), quote(BTC, 3)))
    until("the last is shown", lambda: _bids(BTC, ETH) == {BTC: 3, ETH: 5}, patience_s=2, every_s=0.01)
    assert feed.pulse.newest_at is not None
    assert now() - feed.pulse.newest_at < timedelta(seconds=3)


def _bids(*symbols: str) -> dict[str, Decimal]:
    return {symbol: shown.bid for symbol, shown in quotes.read(symbols).items()}


def test_what_was_made_too_long_ago_is_not_shown(started: Start) -> None:
    started(Written(quote(BTC, 1, age_s=5), quote(ETH, 2)))
    until("the young one is shown", lambda: _bids(BTC, ETH) == {ETH: 2}, patience_s=2, every_s=0.01)


def test_it_follows_who_is_wanted_within_about_a_second(
    started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_SYMBOLS", 2)
    quotes.want([BTC], 60)
    stream = Written()
    feed = started(stream)
    until("wanted at the start", lambda: feed.pulse == QuotePulse(1), patience_s=2, every_s=0.01)
    quotes.want([ETH], 600)
    until("wanted later", lambda: feed.pulse == QuotePulse(2), patience_s=2, every_s=0.01)
    quotes.want(["SOLUSDT"], 900)
    until("no more than it may", lambda: {"SOLUSDT", ETH} in stream.subscribed, patience_s=2, every_s=0.01)
    assert stream.subscribed[0] == {BTC}
    assert max(map(len, stream.subscribed)) == 2


def test_a_fault_ends_the_stream_and_begins_another(started: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0.05)
    broken, sound = Written(quote(BTC, 1), ZeroDivisionError()), Written(quote(BTC, 2))
    started(broken, sound)
    until("the other one is shown", lambda: _bids(BTC) == {BTC: 2}, patience_s=2, every_s=0.01)
    assert broken.closed.is_set()


def test_without_redis_it_goes_on_and_shows_again_when_redis_is_back(
    started: Start, settings: Settings
) -> None:
    there, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
    stream = Written(quote(BTC, 1))
    feed = started(stream)
    until("it was tried", lambda: not stream.pushed and feed.pulse.newest_at, patience_s=2, every_s=0.01)
    assert stream.subscribed[-1] == set()
    settings.REDIS_URL = there
    quotes.want([BTC], 60)
    stream.pushed.append(quote(BTC, 2))
    until("it is shown", lambda: _bids(BTC) == {BTC: 2}, patience_s=2, every_s=0.01)
    until("it is followed", lambda: stream.subscribed[-1] == {BTC}, patience_s=3, every_s=0.01)


@pytest.fixture
def exchange(settings: Settings) -> Iterator[str]:
    """The local exchange, at our time."""
    with running(Archive.open(State(date(2026, 11, 20)), symbols=4)) as address:
        settings.VENUE, settings.TRADING = "simulator", "dry"
        settings.BITMART_BASE_URL, settings.BITMART_WS_URL = address, address.replace("http", "ws")
        yield address


def test_over_real_sockets_who_is_wanted_has_a_quote_of_the_last_second_or_so(
    started: Start, exchange: str
) -> None:
    feed = started(venue.current().quote_streams())
    quotes.want([BTC], 60)
    until("the first quote", lambda: set(quotes.read([BTC, ETH])) == {BTC}, patience_s=5, every_s=0.01)
    quotes.want([ETH], 60)
    until("the other one's", lambda: set(quotes.read([BTC, ETH])) == {BTC, ETH}, patience_s=5, every_s=0.01)
    seen: set[datetime] = set()

    def three_pushes() -> bool:
        shown = quotes.read([BTC])[BTC]
        assert now() - shown.at < timedelta(seconds=2.5)
        seen.add(shown.at)
        return len(seen) == 3

    until("it is renewed each second", three_pushes, patience_s=8, every_s=0.02)
    answer, shown = venue.current().broker.quote(BTC), quotes.read([BTC])[BTC]
    assert abs(answer.bid / shown.bid - 1) < Decimal("0.01")
    assert feed.pulse.symbols == 2
