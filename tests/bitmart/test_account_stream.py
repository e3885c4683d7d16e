from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.engine.ports.account import AccountNews
from apps.exchange.bitmart import account_stream
from apps.exchange.bitmart.account_stream import AccountStream
from apps.exchange.bitmart.json_field import ParseError
from apps.exchange.bitmart.push_protocol import ACCOUNT_TOPICS as TOPICS
from apps.exchange.bitmart.push_protocol import account_message
from apps.exchange.transport.websocket_session import Ack, Push
from tests.bitmart import fixtures
from tests.bitmart.account_rows import ORDER
from tests.bitmart.conftest import CREDENTIALS
from tests.bitmart.scripted_exchange import Exchange, Peer
from tests.bitmart.test_candle_stream import QUICK, stay

PATIENCE_S = 10.0
Opened = Callable[[], Iterator[AccountNews | None]]


def order_push(symbol: str = "BTCUSDT") -> dict[str, Any]:
    return {"group": "futures/order", "data": [{"action": 2, "order": ORDER | {"symbol": symbol}}]}


async def greet(peer: Peer) -> list[Any]:
    """Take the login and the subscriptions; the login's arguments."""
    login = await peer.heard()
    assert login["action"] == "access"
    await peer.say({"action": "access", "success": True})
    assert set(await peer.topics(len(TOPICS))) == set(TOPICS)
    return list(login["args"])


@pytest.fixture
def opened(exchange: Exchange) -> Iterator[Opened]:
    streams: list[AccountStream] = []

    def start() -> Iterator[AccountNews | None]:
        streams.append(AccountStream(exchange.ws_url, CREDENTIALS, timings=QUICK))
        return streams[-1].account(poll_s=0.02)

    yield start
    for stream in streams:
        stream.close()


def take(news: Iterator[AccountNews | None], count: int) -> list[AccountNews]:
    deadline = time.monotonic() + PATIENCE_S
    items: list[AccountNews] = []
    for each in news:
        if each is not None:
            items.append(each)
        if len(items) == count:
            return items
        assert time.monotonic() < deadline, f"only {items} came"
    raise AssertionError(f"the stream ended after {items}")


def what(news: list[AccountNews]) -> list[tuple[str | None, bool]]:
    return [(each.symbol, each.reconnected) for each in news]


def test_it_logs_in_subscribes_and_then_says_what_to_read(exchange: Exchange, opened: Opened) -> None:
    logins: list[list[str]] = []

    async def script(peer: Peer, _: int) -> None:
        logins.append(await greet(peer))
        await peer.say(order_push())
        await peer.say({"group": "futures/position", "data": [{"symbol": "ETHUSDT", "hold_volume": "1"}]})
        await peer.say({"group": "futures/asset:USDT", "data": {"currency": "USDT"}})
        await stay(peer)

    exchange.script = script
    before = datetime.now(UTC)
    news = take(opened(), 4)
    assert what(news) == [(None, True), ("BTCUSDT", False), ("ETHUSDT", False), (None, False)]
    assert all(before <= each.received_at <= before + timedelta(seconds=PATIENCE_S) for each in news)
    assert set(exchange.urls) == {"/user?protocol=1.1"}
    (key, stamp, signed, device), *_ = logins
    text = f"{stamp}#{CREDENTIALS.memo}#bitmart.WebSocket".encode()
    assert (key, device) == (CREDENTIALS.key, "web")
    assert signed == hmac.new(CREDENTIALS.secret.encode(), text, hashlib.sha256).hexdigest()


def test_nothing_is_subscribed_before_the_login_is_answered(exchange: Exchange, opened: Opened) -> None:
    early: list[Any] = []

    async def script(peer: Peer, _: int) -> None:
        await peer.heard()
        try:
            early.append(await asyncio.wait_for(peer.heard(), 0.04))
        except TimeoutError:
            await peer.say({"action": "access", "success": True})
            await peer.topics(len(TOPICS))
            await stay(peer)

    exchange.script = script
    take(opened(), 1)
    assert early == []


@pytest.mark.parametrize("end", ["close", "silence", "refused", "unanswered"])
def test_after_any_interruption_it_comes_back_and_says_so(
    exchange: Exchange, opened: Opened, end: str
) -> None:
    async def script(peer: Peer, connection: int) -> None:
        if connection == 1 and end == "unanswered":
            await stay(peer)
        if connection == 1 and end == "refused":
            await peer.heard()
            await peer.say({"action": "access", "success": False, "error": "access failed"})
            return await peer.close()
        await greet(peer)
        if connection == 1 and end == "close":
            return await peer.close()
        if connection == 1:
            return await asyncio.sleep(2 * QUICK.silent_s)
        await peer.say(order_push())
        return await stay(peer)

    exchange.script = script
    greetings = 1 if end in ("refused", "unanswered") else 2
    news = take(opened(), greetings + 1)
    assert what(news) == [(None, True)] * greetings + [("BTCUSDT", False)]
    assert exchange.connections == 2


def test_a_topic_that_is_refused_is_tried_again_on_a_new_connection(
    exchange: Exchange, opened: Opened
) -> None:
    async def script(peer: Peer, connection: int) -> None:
        await peer.heard()
        await peer.say({"action": "access", "success": True})
        await peer.topics(len(TOPICS), refuse=frozenset({TOPICS[0]} if connection == 1 else ()))
        await stay(peer)

    exchange.script = script
    assert what(take(opened(), 1)) == [(None, True)]
    assert exchange.connections == 2


def test_a_push_that_cannot_be_read_asks_to_read_everything(exchange: Exchange, opened: Opened) -> None:
    async def script(peer: Peer, _: int) -> None:
        await greet(peer)
        await peer.say({"group": "futures/order", "data": [{"action": 2}]})
        await peer.say(order_push())
        await stay(peer)

    exchange.script = script
    assert what(take(opened(), 3)) == [(None, True), (None, False), ("BTCUSDT", False)]


def test_a_quiet_account_keeps_its_connection(exchange: Exchange, opened: Opened) -> None:
    async def script(peer: Peer, _: int) -> None:
        await greet(peer)
        await stay(peer)

    exchange.script = script
    news = opened()
    take(news, 1)
    ends = time.monotonic() + 2 * QUICK.silent_s
    while time.monotonic() < ends:
        assert next(news) is None
    assert exchange.connections == 1


def test_it_tells_when_it_was_last_heard_but_not_before_its_channels_are_open(exchange: Exchange) -> None:
    async def script(peer: Peer, connection: int) -> None:
        if connection == 1:
            await peer.heard()
            await peer.say({"action": "pong"})
            return await peer.close()
        while not go_on.is_set():
            await asyncio.sleep(0.005)
        await greet(peer)
        return await stay(peer)

    go_on = threading.Event()
    exchange.script = script
    stream = AccountStream(exchange.ws_url, CREDENTIALS, timings=replace(QUICK, ack_s=PATIENCE_S))
    news = stream.account(poll_s=0.02)
    deadline = time.monotonic() + PATIENCE_S
    while exchange.connections < 2:
        assert time.monotonic() < deadline
        next(news)
    assert stream.heard_at() is None
    go_on.set()
    take(news, 1)
    while (first := stream.heard_at()) is None:
        assert time.monotonic() < deadline
        next(news)
    while (later := stream.heard_at()) is None or later <= first:  # by the answers to pings alone
        assert time.monotonic() < deadline
        next(news)
    stream.close()


def test_a_consumer_that_fell_behind_loses_nothing(
    exchange: Exchange, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_stream, "QUEUE_SIZE", 2)
    sent = threading.Event()

    async def script(peer: Peer, _: int) -> None:
        await greet(peer)
        for n in range(10):
            await peer.say(order_push(f"S{n}USDT"))
        sent.set()
        await stay(peer)

    exchange.script = script
    news = opened()
    first = take(news, 1)
    sent.wait(PATIENCE_S)
    symbols = [each.symbol for each in first + take(news, 10) if each.symbol]
    assert symbols == [f"S{n}USDT" for n in range(10)]


def test_a_close_from_another_thread_ends_it_promptly(exchange: Exchange) -> None:
    async def script(peer: Peer, _: int) -> None:
        await greet(peer)
        await stay(peer)

    exchange.script = script
    stream = AccountStream(exchange.ws_url, CREDENTIALS, timings=QUICK)
    closing = threading.Timer(0.05, stream.close)
    closing.start()
    started = time.monotonic()
    assert all(each is None or each.reconnected for each in stream.account(poll_s=0.02))
    assert time.monotonic() - started < PATIENCE_S
    closing.join()
    stream.close()


@fixtures.needed
@pytest.mark.parametrize(
    ("name", "symbols"),
    [
        ("ws/order_cancel.docs.json", ("BTCUSDT",)),
        ("ws/order_submit_market.live-2023-12.json", ("LTCUSDT",)),
        ("ws/position.docs.json", ("BTCUSDT",)),
        ("ws/position_hedge_two_rows.live-2023-12.json", ("LTCUSDT",)),
        ("ws/asset.docs.json", (None,)),
    ],
)
def test_every_recorded_push_says_whom_it_concerns(name: str, symbols: tuple[str | None, ...]) -> None:
    assert concerned(account_message(_text(fixtures.load(name)))) == symbols


@fixtures.needed
def test_each_push_of_a_recorded_order_life_concerns_its_symbol() -> None:
    for push in fixtures.load("ws/order_lifecycle.synthetic.json"):
        assert concerned(account_message(_text(push))) == ("BTCUSDT",)


@fixtures.needed
def test_the_recorded_answers_to_a_login_are_read() -> None:
    assert account_message(_text(fixtures.load("ws/login_ok.docs.json"))) == Ack("", True, "")
    failed = account_message(_text(fixtures.load("ws/login_failed.docs.json")))
    assert isinstance(failed, Ack)
    assert (failed.topic, failed.success) == ("", False)


@pytest.mark.parametrize("text", ['{"group":"System","data":"pong"}', '{"action":"pong"}', "pong"])
def test_a_pong_is_known_in_every_spelling(text: str) -> None:
    assert account_message(text) is None


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("[]", "message"),
        ("{", "message"),
        ("{}", "data"),
        ('{"group":"futures/other","data":[]}', "group"),
        ('{"group":7,"data":[]}', "group"),
        ('{"group":"futures/order","data":{}}', "data"),
        ('{"group":"futures/order","data":[7]}', "data"),
        ('{"group":"futures/order","data":[{"order":{"symbol":7}}]}', "symbol"),
        ('{"group":"futures/position","data":[{}]}', "symbol"),
    ],
)
def test_what_nobody_documents_is_unreadable_by_name(text: str, field: str) -> None:
    with pytest.raises(ParseError) as caught:
        account_message(text)
    assert caught.value.field == field


def concerned(message: Any) -> tuple[str | None, ...]:
    assert isinstance(message, Push)
    return tuple(message.items)


def _text(message: Any) -> str:
    return json.dumps(message, default=str)
