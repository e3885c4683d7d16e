"""Pushed quotes: two topics a symbol joined, as old as their oldest part, for symbols that come and go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.engine.values.errors import TradingError
from apps.engine.values.position import Quote
from apps.exchange.bitmart.push_protocol import quote_topics
from apps.exchange.bitmart.quote_stream import SYMBOLS_PER_CONNECTION, QuoteStream
from tests.bitmart.scripted_exchange import Exchange, Peer
from tests.bitmart.test_candle_stream import PATIENCE_S, QUICK
from tests.bitmart.test_quote_message import book, ticker

D = Decimal
BTC = "BTCUSDT"
Open = Callable[..., QuoteStream]


@pytest.fixture
def opened(exchange: Exchange) -> Iterator[Open]:
    streams: list[QuoteStream] = []

    def make(*symbols: str, server_time: Callable[[], datetime] = lambda: datetime.now(UTC)) -> QuoteStream:
        streams.append(QuoteStream(exchange.ws_url, server_time, timings=replace(QUICK, silent_s=1.0)))
        streams[-1].subscribe(symbols)
        return streams[-1]

    yield make
    for each in streams:
        each.close()


class Floor:
    """Which topics are subscribed on each connection; pushes both of a symbol when they are asked for."""

    def __init__(self, exchange: Exchange) -> None:
        self.topics: dict[int, set[str]] = {}
        self.sizes: list[int] = []
        self.peers: dict[int, Peer] = {}
        self.greet: Callable[[str], list[Any]] = lambda symbol: [book(symbol), ticker(symbol)]
        exchange.script = self.serve

    async def serve(self, peer: Peer, connection: int) -> None:
        topics = self.topics[connection] = set()
        self.peers[connection] = peer
        try:
            while True:
                message = await peer.heard()
                if message["action"] == "ping":
                    await peer.say({"group": "System", "data": "pong"})
                    continue
                self.sizes.append(len(message["args"]))
                for topic in message["args"]:
                    await peer.say({"action": message["action"], "group": topic, "success": True})
                if message["action"] == "unsubscribe":
                    topics.difference_update(message["args"])
                    gone = message["args"][0].partition(":")[2]
                    await peer.say(book(gone))  # it was on its way
                    continue
                topics.update(message["args"])
                for symbol in dict.fromkeys(topic.partition(":")[2] for topic in message["args"]):
                    if set(quote_topics(symbol)) <= topics:
                        for each in self.greet(symbol):
                            await peer.say(each)
        finally:
            del self.topics[connection]

    def symbols(self) -> list[set[str]]:
        """Those streamed by now, a set a connection."""
        return [{topic.partition(":")[2] for topic in topics} for topics in list(self.topics.values())]


@pytest.fixture
def floor(exchange: Exchange) -> Floor:
    return Floor(exchange)


def take(quotes: Iterator[Quote | None], enough: Callable[[list[Quote]], Any]) -> list[Quote]:
    """What comes until there is enough of it."""
    deadline = time.monotonic() + PATIENCE_S
    taken: list[Quote] = []
    for quote in quotes:
        if quote is not None:
            taken.append(quote)
        if enough(taken):
            return taken
        assert time.monotonic() < deadline, f"only {taken[-3:]} came"
    raise AssertionError(f"the stream ended after {taken}")


def of(*symbols: str) -> Callable[[list[Quote]], bool]:
    return lambda taken: {quote.symbol for quote in taken} >= set(symbols)


def test_a_quote_is_made_of_both_topics_and_as_old_as_the_older_part(floor: Floor, opened: Open) -> None:
    made_at = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=2)
    floor.greet = lambda symbol: [book(symbol, at=made_at), ticker(symbol)]
    [quote] = take(opened(BTC).quotes(0.01), of(BTC))
    assert (quote.bid, quote.ask, quote.mark, quote.last) == (
        D("100.10"),
        D("100.2"),
        D("100.15"),
        D("100.1"),
    )
    assert timedelta(0) <= abs(quote.at - made_at) < timedelta(seconds=0.5)


def test_half_a_quote_is_none_and_a_young_half_does_not_make_the_other_young(
    floor: Floor, opened: Open
) -> None:
    floor.greet = lambda symbol: {
        "BOOKUSDT": [book(symbol)],
        "MARKUSDT": [ticker(symbol)],
        "WHOLEUSDT": [book(symbol, at=datetime.now(UTC) - timedelta(seconds=30)), *[ticker(symbol)] * 3],
    }[symbol]
    taken = take(opened("BOOKUSDT", "MARKUSDT", "WHOLEUSDT").quotes(0.01), lambda taken: len(taken) == 3)
    assert {quote.symbol for quote in taken} == {"WHOLEUSDT"}
    assert all(datetime.now(UTC) - quote.at > timedelta(seconds=29) for quote in taken)


def test_a_book_that_was_overtaken_on_its_way_does_not_replace_the_newer_one(
    floor: Floor, opened: Open
) -> None:
    now = datetime.now(UTC)
    newer, older = book(at=now, best_bid_price="100.15"), book(at=now - timedelta(seconds=1))
    floor.greet = lambda symbol: [ticker(symbol), newer, older, ticker(symbol)]
    taken = take(opened(BTC).quotes(0.01), lambda taken: len(taken) == 3)
    assert {quote.bid for quote in taken} == {D("100.15")}


@pytest.mark.parametrize("ahead_s", [0, 3600])
def test_a_newer_book_is_shown_however_the_measure_of_the_exchanges_clock_trembles(
    ahead_s: float, floor: Floor, opened: Open
) -> None:
    made_at = datetime.now(UTC).replace(microsecond=0)
    first = book(at=made_at + timedelta(seconds=ahead_s))  # a stamp ahead of the exchange's clock is no stamp
    floor.greet = lambda symbol: [ticker(symbol), first, book(at=made_at, best_bid_price="100.15")]
    late = iter([0.0, 0.02])  # the second measure is taken after a pause
    taken = take(
        opened(BTC, server_time=lambda: made_at + timedelta(seconds=next(late))).quotes(0.01),
        lambda taken: len(taken) == 2,
    )
    assert taken[-1].bid == D("100.15")


def test_crossed_and_impossible_prices_are_no_quote_and_cost_only_themselves(
    floor: Floor, opened: Open
) -> None:
    floor.greet = lambda symbol: [
        ticker(symbol),
        book(symbol, best_bid_price="100.3"),
        ticker(symbol),
        book(symbol, best_bid_price="0"),
        [1],
        {},
        ticker(symbol, mark_price=None),
        book(symbol, best_bid_price="100"),
        ticker(symbol, mark_price="0"),
        ticker(symbol, mark_price="100.12"),
    ]
    taken = take(opened(BTC).quotes(0.01), lambda taken: len(taken) == 2)
    assert [(quote.bid, quote.mark) for quote in taken] == [(D(100), D("100.15")), (D(100), D("100.12"))]


def test_an_exchange_clock_that_cannot_be_read_makes_no_quotes_until_it_can(
    floor: Floor, opened: Open
) -> None:
    faults = [TradingError("no answer")]

    def server_time() -> datetime:
        if faults:
            raise faults.pop()
        return datetime.now(UTC)

    floor.greet = lambda symbol: [ticker(symbol), book(symbol), ticker(symbol), book(symbol)]
    assert len(take(opened(BTC, server_time=server_time).quotes(0.01), of(BTC))) == 1


def test_symbols_come_and_go_on_the_same_connection_and_nothing_is_heard_of_who_went(
    floor: Floor, opened: Open, exchange: Exchange
) -> None:
    stream = opened("AUSDT", "BUSDT")
    quotes = stream.quotes(0.01)
    take(quotes, of("AUSDT", "BUSDT"))
    stream.subscribe({"BUSDT", "CUSDT"})
    assert {quote.symbol for quote in take(quotes, of("CUSDT"))} == {"CUSDT"}
    assert floor.symbols() == [{"BUSDT", "CUSDT"}]
    assert exchange.connections == 1


def test_nobody_is_connected_while_nothing_is_wanted(floor: Floor, opened: Open, exchange: Exchange) -> None:
    stream = opened()
    quotes = stream.quotes(0.01)
    assert [next(quotes) for _ in range(5)] == [None] * 5
    assert exchange.connections == 0
    stream.subscribe({BTC})
    take(quotes, of(BTC))
    stream.subscribe(set())
    take(quotes, lambda _: floor.symbols() == [])
    stream.subscribe({BTC})
    take(quotes, of(BTC))
    assert exchange.connections == 2


def test_a_connection_has_at_most_100_topics_and_a_message_20(
    floor: Floor, opened: Open, exchange: Exchange
) -> None:
    symbols = {f"S{number}USDT" for number in range(2 * SYMBOLS_PER_CONNECTION + 10)}
    stream = opened(*symbols)
    quotes = stream.quotes(0.01)
    take(quotes, of(*symbols))
    assert sorted(map(len, floor.symbols())) == [10, 50, 50]
    gone = set(sorted(symbols)[:30])
    stream.subscribe(symbols - gone)
    take(quotes, lambda _: set().union(*floor.symbols()) == symbols - gone)
    newcomers = {f"N{number}USDT" for number in range(60)}
    stream.subscribe(symbols - gone | newcomers)
    take(quotes, of(*newcomers))
    assert set().union(*floor.symbols()) == symbols - gone | newcomers
    assert exchange.connections == 3
    assert max(map(len, floor.symbols())) <= SYMBOLS_PER_CONNECTION
    assert max(floor.sizes) <= 20


def test_after_a_lost_connection_the_symbols_of_then_are_subscribed_again(
    floor: Floor, opened: Open, exchange: Exchange
) -> None:
    asked: list[dict[str, Any]] = [{}]

    async def script(peer: Peer, connection: int) -> None:
        if connection > 1:
            await floor.serve(peer, connection)
        await peer.topics(2)
        await peer.say(book("AUSDT"))
        await peer.say(ticker("AUSDT"))
        while asked[-1].get("action") != "subscribe":
            asked.append(await peer.heard())
        await peer.close()  # with the newcomer unanswered

    exchange.script = script
    stream = opened("AUSDT")
    quotes = stream.quotes(0.01)
    take(quotes, of("AUSDT"))
    stream.subscribe({"AUSDT", "BUSDT"})
    take(quotes, of("AUSDT", "BUSDT"))
    assert floor.symbols() == [{"AUSDT", "BUSDT"}]
    assert asked[-1]["args"] == list(quote_topics("BUSDT"))


def test_a_refused_symbol_leaves_the_others_alone(exchange: Exchange, opened: Open) -> None:
    async def script(peer: Peer, connection: int) -> None:
        await peer.topics(4, refuse=frozenset(quote_topics("ODDUSDT")))
        await peer.say(book())
        await peer.say(ticker())
        while True:
            await peer.heard()

    exchange.script = script
    take(opened(BTC, "ODDUSDT").quotes(0.01), of(BTC))
    assert exchange.connections == 1


def test_close_from_another_thread_ends_the_quotes_promptly(floor: Floor, opened: Open) -> None:
    stream = opened(BTC)
    quotes = stream.quotes(0.01)
    take(quotes, of(BTC))
    closing = threading.Timer(0.05, stream.close)
    closing.start()
    started = time.monotonic()
    list(quotes)
    assert time.monotonic() - started < PATIENCE_S
    closing.join()
    assert not any(thread.is_alive() for thread in stream._queue._threads)
