from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.engine.ports.market import FormingCandle, Gap
from apps.engine.values.contract import UnknownSymbol
from apps.exchange.bitmart import candle_stream
from apps.exchange.bitmart.candle_stream import CandleStream
from apps.exchange.bitmart.push_protocol import BYTES_PER_MESSAGE, candle_topic, subscribe_messages
from apps.exchange.transport.websocket_session import Timings, pause_s
from tests.bitmart.scripted_exchange import Exchange, Peer
from tests.bitmart.test_push_protocol import ITEM

QUICK = Timings(
    connect_s=2.0,
    tick_s=0.01,
    ping_s=0.05,
    silent_s=0.4,
    pushless_s=30.0,
    ack_s=0.3,
    first_pause_s=0.02,
    longest_pause_s=0.1,
)
PATIENCE_S = 10.0
"""Longest a test waits for what must come; none waits for nothing this long."""
Open = Callable[..., CandleStream]


def push(symbol: str = "BTCUSDT", **changes: Any) -> dict[str, Any]:
    return {"group": candle_topic(symbol), "data": {"symbol": symbol, "items": [ITEM | changes]}}


@pytest.fixture
def opened(exchange: Exchange) -> Iterator[Open]:
    streams: list[CandleStream] = []

    def make(timings: Timings = QUICK) -> CandleStream:
        streams.append(CandleStream(exchange.ws_url, _contract_size, timings=timings))
        return streams[-1]

    yield make
    for each in streams:
        each.close()


def _contract_size(symbol: str) -> Decimal:
    if symbol.startswith("NO"):
        raise UnknownSymbol([symbol], [], "are listed by the exchange")
    return Decimal("0.001")


def take(values: Iterator[FormingCandle | Gap | None], count: int) -> list[FormingCandle | Gap]:
    """The next `count` that are not heartbeats."""
    deadline = time.monotonic() + PATIENCE_S
    items: list[FormingCandle | Gap] = []
    for value in values:
        if value is not None:
            items.append(value)
        if len(items) == count:
            return items
        assert time.monotonic() < deadline, f"only {items} came"
    raise AssertionError(f"the stream ended after {items}")


async def stay(peer: Peer) -> None:
    """Answer pings until the client leaves."""
    while True:
        if (await peer.heard())["action"] == "ping":
            await peer.say({"group": "System", "data": "pong"})


def test_a_push_arrives_as_a_candle_in_coins(exchange: Exchange, opened: Open) -> None:
    async def script(peer: Peer, connection: int) -> None:
        await peer.topics(1)
        await peer.say(push())
        await stay(peer)

    exchange.script = script
    (candle,) = take(opened().candles(["BTCUSDT"]), 1)
    assert isinstance(candle, FormingCandle)
    assert candle.open_time == datetime(2023, 12, 3, 15, 36, tzinfo=UTC)
    assert (candle.close, candle.volume) == (Decimal("39629.7"), Decimal("31.852"))
    assert datetime.now(UTC) - candle.received_at < timedelta(seconds=PATIENCE_S)
    assert exchange.urls == {"/api?protocol=1.1": 1}


def test_nothing_within_the_poll_time_is_a_heartbeat(exchange: Exchange, opened: Open) -> None:
    exchange.script = lambda peer, connection: stay(peer)
    assert list(itertools.islice(opened().candles(["BTCUSDT"], poll_s=0.01), 3)) == [None] * 3


def test_each_connection_has_at_most_100_topics_in_messages_of_20(exchange: Exchange, opened: Open) -> None:
    connections: list[list[list[str]]] = []

    async def script(peer: Peer, connection: int) -> None:
        messages: list[list[str]] = []
        connections.append(messages)
        while True:
            message = await peer.heard()
            if message["action"] == "subscribe":
                messages.append(message["args"])
                await peer.say(push(message["args"][-1].partition(":")[2]))

    exchange.script = script
    symbols = [f"S{number}USDT" for number in range(230)]
    take(opened(replace(QUICK, ping_s=5.0, silent_s=20.0)).candles(symbols), 12)
    assert sorted([len(batch) for batch in messages] for messages in connections) == [
        [20, 10],
        [20] * 5,
        [20] * 5,
    ]
    assert {topic for messages in connections for batch in messages for topic in batch} == set(
        map(candle_topic, symbols)
    )


def test_the_arguments_of_a_message_stay_within_4096_bytes() -> None:
    topics = [candle_topic(f"{number:0>300}USDT") for number in range(50)]
    messages = [json.loads(text)["args"] for text in subscribe_messages(topics)]
    assert [topic for args in messages for topic in args] == topics
    assert all(len(json.dumps(args)) <= BYTES_PER_MESSAGE + len(args) for args in messages)
    assert min(map(len, messages[:-1])) > 10


@pytest.mark.parametrize("ending", ["closed", "silent", "garbled"])
def test_a_lost_connection_is_made_again_and_said_as_a_gap(
    exchange: Exchange, opened: Open, ending: str
) -> None:
    async def script(peer: Peer, connection: int) -> None:
        await peer.topics(2)
        await peer.say(push(c=str(39620 + connection)))
        if connection == 1 and ending == "closed":
            await peer.close()
        elif connection == 1 and ending == "garbled":
            await peer.say_bytes(b"\xff\xff not deflated")
        elif connection == 1:
            await asyncio.sleep(PATIENCE_S)
        await stay(peer)

    exchange.script = script
    first, gap, second = take(opened().candles(["BTCUSDT", "ETHUSDT"]), 3)
    assert isinstance(first, FormingCandle)
    assert isinstance(gap, Gap)
    assert isinstance(second, FormingCandle)
    assert gap.symbols == ("BTCUSDT", "ETHUSDT")
    assert gap.reason.startswith({"closed": "closed", "silent": "silent", "garbled": "a binary"}[ending])
    assert (first.close, second.close) == (Decimal(39621), Decimal(39622))


def test_an_exchange_that_is_not_there_yet_is_tried_until_it_is(exchange: Exchange, opened: Open) -> None:
    async def script(peer: Peer, connection: int) -> None:
        if connection <= 3:
            await peer.close()
            return
        await peer.topics(1)
        await peer.say(push())
        await stay(peer)

    exchange.script = script
    gap, candle = take(opened().candles(["BTCUSDT"]), 2)
    assert isinstance(gap, Gap)
    assert isinstance(candle, FormingCandle)
    assert exchange.connections == 4


def test_pauses_between_attempts_grow_to_their_limit_and_stay_there() -> None:
    longest = [max(pause_s(failures, Timings()) for _ in range(100)) for failures in (0, 1, 5, 6, 5000)]
    assert longest == pytest.approx([0.5, 1.0, 16.0, 30.0, 30.0], rel=0.5)  # the jitter takes up to half
    assert longest[-1] <= 30.0


def test_pings_that_are_answered_keep_a_quiet_connection(exchange: Exchange, opened: Open) -> None:
    async def script(peer: Peer, connection: int) -> None:
        await peer.topics(1)
        for spelling in itertools.cycle(["pong", {"action": "pong"}, {"group": "System", "data": "pong"}]):
            assert await peer.heard() == {"action": "ping"}
            pings.append(time.monotonic())
            await peer.say(spelling)
            if len(pings) == 12:  # half as long again as silence may last
                await peer.say(push())

    pings: list[float] = []
    exchange.script = script
    assert isinstance(take(opened().candles(["BTCUSDT"]), 1)[0], FormingCandle)
    assert exchange.connections == 1


def test_pongs_without_pushes_are_a_lost_subscription(exchange: Exchange, opened: Open) -> None:
    async def script(peer: Peer, connection: int) -> None:
        await peer.topics(1)
        await stay(peer)

    exchange.script = script
    (gap,) = take(opened(replace(QUICK, pushless_s=0.2)).candles(["BTCUSDT"]), 1)
    assert isinstance(gap, Gap)
    assert gap.reason.startswith("no push")


def test_a_refused_topic_is_said_once_and_the_others_go_on(exchange: Exchange, opened: Open) -> None:
    async def script(peer: Peer, connection: int) -> None:
        await peer.topics(2, refuse=frozenset([candle_topic("ODDUSDT")]))
        await peer.say(push())
        if connection == 1:
            await peer.close()
        await stay(peer)

    exchange.script = script
    values = take(opened().candles(["BTCUSDT", "ODDUSDT"]), 4)
    assert values[0] == Gap(("ODDUSDT",), f"refused: group [{candle_topic('ODDUSDT')}] not exist")
    assert [type(value) for value in values[1:]] == [FormingCandle, Gap, FormingCandle]


def test_a_symbol_that_is_no_contract_is_said_once_and_never_asked_for(
    exchange: Exchange, opened: Open
) -> None:
    topics: list[str] = []

    async def script(peer: Peer, connection: int) -> None:
        topics.extend(await peer.topics(1))
        await peer.say(push())
        await stay(peer)

    exchange.script = script
    gap, candle = take(opened().candles(["NOSUCH", "BTCUSDT", "BTCUSDT"]), 2)
    assert gap == Gap(("NOSUCH",), "refused: no such contract")
    assert isinstance(candle, FormingCandle)
    assert topics == [candle_topic("BTCUSDT")]


def test_a_server_that_acknowledges_nothing_still_streams(exchange: Exchange, opened: Open) -> None:
    async def script(peer: Peer, connection: int) -> None:
        if connection == 1:
            await peer.close()
            return
        await stay(peer)

    exchange.script = script
    (gap,) = take(opened().candles(["BTCUSDT"]), 1)
    assert isinstance(gap, Gap)


def test_a_compressed_push_is_read(exchange: Exchange, opened: Open) -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(json.dumps(push()).encode()) + packer.flush()

    async def script(peer: Peer, connection: int) -> None:
        await peer.topics(1)
        await peer.say_bytes(packed)
        await stay(peer)

    exchange.script = script
    assert isinstance(take(opened().candles(["BTCUSDT"]), 1)[0], FormingCandle)


def test_what_cannot_be_read_costs_only_itself(exchange: Exchange, opened: Open) -> None:
    async def script(peer: Peer, connection: int) -> None:
        await peer.topics(1)
        for unreadable in ({}, [1], push(h="1"), push(o=None), push("OTHERUSDT"), {"group": 5, "data": 1}):
            await peer.say(unreadable)
        await peer.say(push())
        await stay(peer)

    exchange.script = script
    assert isinstance(take(opened().candles(["BTCUSDT"]), 1)[0], FormingCandle)
    assert exchange.connections == 1


def test_close_from_another_thread_ends_the_stream_promptly(exchange: Exchange, opened: Open) -> None:
    exchange.script = lambda peer, connection: stay(peer)
    stream = opened()
    values = stream.candles(["BTCUSDT"])
    assert next(values) is None
    closing = threading.Timer(0.05, stream.close)
    closing.start()
    started = time.monotonic()
    assert set(values) <= {None}
    assert time.monotonic() - started < PATIENCE_S
    closing.join()
    assert not any(thread.is_alive() for thread in stream._queue._threads)


def test_a_consumer_that_lags_behind_loses_nothing_that_was_sent(
    exchange: Exchange, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candle_stream, "QUEUE_SIZE", 3)

    async def script(peer: Peer, connection: int) -> None:
        await peer.topics(1)
        for number in range(50):
            await peer.say(push(v=str(number)))
        await stay(peer)

    exchange.script = script
    values = opened().candles(["BTCUSDT"])
    candles = []
    for candle in take(values, 50):
        assert isinstance(candle, FormingCandle)
        candles.append(candle.volume * 1000)
    assert candles == list(range(50))


def test_a_fault_of_our_own_in_a_thread_reaches_the_consumer(
    exchange: Exchange, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("apps.exchange.bitmart.push_protocol.candle_message", broken)

    async def script(peer: Peer, connection: int) -> None:
        await peer.topics(1)
        await stay(peer)

    exchange.script = script
    with pytest.raises(ZeroDivisionError):
        take(opened().candles(["BTCUSDT"]), 1)
