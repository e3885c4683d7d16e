"""The QuoteStreams port: what is pushed is what the exchange answers, and as old as it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from apps.engine.ports.market import QuoteStreams
from apps.engine.values.position import Quote
from apps.exchange.simulator.market.archive import Archive
from tests.contract.account import opened
from tests.contract.conftest import Hand, Venue

BTC, ETH = "BTCUSDT", "ETHUSDT"
LONGEST_S = 15.0
SECOND = timedelta(seconds=1)


@pytest.fixture
def stream(venue: Venue) -> QuoteStreams:
    return venue.quote_streams()


def until(quotes: Iterator[Quote | None], enough: Callable[[list[Quote]], bool]) -> list[Quote]:
    """What comes until there is enough of it."""
    deadline = time.monotonic() + LONGEST_S
    seen: list[Quote] = []
    for quote in quotes:
        if quote is not None:
            seen.append(quote)
        if enough(seen):
            return seen
        assert time.monotonic() < deadline, f"not enough came: {seen[-3:]}"
    raise AssertionError("the stream ended by itself")


def of(*symbols: str) -> Callable[[list[Quote]], bool]:
    return lambda seen: {quote.symbol for quote in seen} >= set(symbols)


def for_s(seconds: float) -> Callable[[list[Quote]], bool]:
    ends = time.monotonic() + seconds
    return lambda _: time.monotonic() > ends


def test_every_symbol_is_quoted_at_once(stream: QuoteStreams, archive: Archive) -> None:
    stream.subscribe(archive.symbols)
    until(stream.quotes(0.02), of(*archive.symbols))


def test_what_is_pushed_is_what_the_exchange_answers_at_the_same_moment(archive: Archive) -> None:
    """Both read a market that stands still for a second: one of the pushes is of the answer's second."""
    with opened(archive) as account:
        pushed = Venue(account.address).quote_streams()
        pushed.subscribe([BTC])
        quotes = pushed.quotes(0.02)
        until(quotes, of(BTC))
        answer = account.broker.quote(BTC)
        prices = [(q.bid, q.ask, q.mark, q.last) for q in until(quotes, for_s(2.5))]
        again = account.broker.quote(BTC)
        pushed.close()
    answers = {(q.bid, q.ask, q.mark, q.last) for q in (answer, again)}
    assert answers & set(prices), (answers, prices)


def test_a_quote_is_as_old_as_the_exchanges_stamp_by_our_clock(
    venue: Venue, stream: QuoteStreams, hand: Hand
) -> None:
    """Its clock is days from ours and says half a second past the tick: so old is the book."""
    hand.move(0.5)
    stream.subscribe([BTC])
    [quote] = until(stream.quotes(0.02), of(BTC))
    age_s = (datetime.now(UTC) - quote.at).total_seconds()
    assert 0.5 <= age_s < 10


def test_a_market_that_stands_still_yields_no_younger_quotes(
    venue: Venue, stream: QuoteStreams, hand: Hand
) -> None:
    stream.subscribe([BTC])
    quotes = stream.quotes(0.02)
    [first] = until(quotes, of(BTC))
    assert until(quotes, for_s(0.5)) == []
    hand.move(1)
    second = until(quotes, of(BTC))[-1]
    assert second.at > first.at


def test_symbols_are_added_and_removed_while_it_runs(stream: QuoteStreams, hand: Hand) -> None:
    stream.subscribe([BTC])
    quotes = stream.quotes(0.02)
    until(quotes, of(BTC))
    stream.subscribe([ETH])
    until(quotes, of(ETH))
    hand.move(1)
    assert {quote.symbol for quote in until(quotes, of(ETH)) + until(quotes, for_s(0.3))} == {ETH}
    stream.subscribe([])
    until(quotes, for_s(0.3))
    hand.move(1)
    assert until(quotes, for_s(0.3)) == []
    stream.subscribe([BTC, ETH])
    until(quotes, of(BTC, ETH))


def test_after_a_dropped_connection_the_quotes_go_on(venue: Venue, stream: QuoteStreams, hand: Hand) -> None:
    stream.subscribe([BTC, ETH])
    quotes = stream.quotes(0.02)
    until(quotes, of(BTC, ETH))
    venue.switch(ws_drop=True)
    hand.move(1)
    until(quotes, of(BTC, ETH))


def test_a_silent_connection_is_left_and_another_is_made(
    venue: Venue, stream: QuoteStreams, hand: Hand
) -> None:
    stream.subscribe([BTC])
    quotes = stream.quotes(0.02)
    until(quotes, of(BTC))
    venue.switch(ws_silence=True)
    until(quotes, for_s(1.0))
    venue.switch(ws_silence=False)
    hand.move(1)
    until(quotes, of(BTC))


def test_pushes_that_come_twice_or_late_never_bring_an_older_book_back(
    venue: Venue, stream: QuoteStreams, hand: Hand
) -> None:
    venue.switch(ws_duplicate=True, ws_reorder=True)
    stream.subscribe([BTC])
    quotes = stream.quotes(0.02)
    seen: list[Quote] = []
    for _ in range(4):
        hand.move(1)
        seen += until(quotes, for_s(0.2))
    assert seen
    assert seen == sorted(seen, key=lambda quote: quote.at)


def test_a_symbol_that_is_not_listed_leaves_the_others_alone(stream: QuoteStreams) -> None:
    stream.subscribe(["NOSUCHUSDT", BTC])
    until(stream.quotes(0.02), of(BTC))


def test_a_close_ends_the_quotes(stream: QuoteStreams) -> None:
    stream.subscribe([BTC])
    quotes = stream.quotes(0.02)
    until(quotes, of(BTC))
    stream.close()
    assert list(quotes) == []
