from __future__ import annotations

import socket
import threading
import time

import pytest
import structlog

from apps.exchange.bitmart import errors
from apps.exchange.bitmart.errors import BitMartError
from apps.exchange.bitmart.read_client import ReadClient, rate_headers
from apps.exchange.bitmart.routes import DEPTH, SERVER_TIME
from apps.exchange.transport import USER_AGENT
from apps.exchange.transport.rate_limiter import Blocked, RateLimiter
from apps.exchange.transport.retry import Patience
from tests.bitmart.scripted_exchange import Exchange, Response, ok, refusal

PATH = SERVER_TIME.path
HTML = Response(b"<html>maintenance</html>", 503)
SLOW = Response(b"", 200, {}, delay_s=0.6)
BUSY = refusal(30013, 429, **{"X-BM-RateLimit-Reset": "1"})


def test_an_answer_gives_its_data_and_when_it_was_asked(exchange: Exchange, client: ReadClient) -> None:
    exchange.answers[PATH] = [ok({"server_time": 1})]
    before_ms = time.time() * 1000
    answer = client.read(SERVER_TIME, {"symbol": "BTCUSDT"})
    assert answer.data == {"server_time": 1}
    assert before_ms <= answer.sent_at_ms <= answer.received_at_ms
    assert exchange.asked[PATH] == [{"symbol": "BTCUSDT"}]
    assert exchange.agents == {USER_AGENT}


@pytest.mark.parametrize(
    "fault",
    [HTML, SLOW, refusal(30014, 503), refusal(30016, 200), refusal(40013), Response(b"not json")],
    ids=["html", "slow", "unavailable", "maintenance", "clock", "no json"],
)
def test_what_can_heal_is_asked_again(exchange: Exchange, client: ReadClient, fault: Response) -> None:
    exchange.answers[PATH] = [fault, fault, ok(7)]
    assert client.read(SERVER_TIME).data == 7
    assert len(exchange.asked[PATH]) == 3


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (refusal(30000, 404), errors.WrongRequest),
        (refusal(40034), errors.BadSymbol),
        (refusal(30002, 401), errors.AccessDenied),
        (refusal(42000, 200), errors.Refused),
        (refusal(77777), errors.Unclear),
    ],
)
def test_what_cannot_heal_is_asked_once(
    exchange: Exchange, client: ReadClient, fault: Response, kind: type[BitMartError]
) -> None:
    exchange.answers[PATH] = [fault]
    with pytest.raises(kind, match="trace-of-refusal"):
        client.read(SERVER_TIME)
    assert len(exchange.asked[PATH]) == 1


def test_attempts_end_and_the_last_fault_is_raised(exchange: Exchange, client: ReadClient) -> None:
    exchange.answers[PATH] = [HTML]
    with pytest.raises(errors.Unavailable, match="maintenance"):
        client.read(SERVER_TIME)
    assert len(exchange.asked[PATH]) == 4


def test_a_429_holds_the_route_for_its_reset_time_and_then_is_asked_again(
    exchange: Exchange, client: ReadClient
) -> None:
    exchange.answers[PATH] = [BUSY, ok(7)]
    started = time.monotonic()
    assert client.read(SERVER_TIME).data == 7
    assert time.monotonic() - started >= 1.0


def test_a_429_of_one_call_delays_all_others(
    exchange: Exchange, client: ReadClient, limiter: RateLimiter
) -> None:
    exchange.answers[PATH] = [BUSY, ok(7)]
    reader = threading.Thread(target=client.read, args=(SERVER_TIME,))
    reader.start()
    deadline = time.monotonic() + 5
    while not limiter._redis.exists(limiter._key(PATH, "hold")):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert limiter.reserve(SERVER_TIME).wait_s > 0.5
    assert limiter.reserve(DEPTH).wait_s == 0
    reader.join(15)
    assert len(exchange.asked[PATH]) == 2


def test_a_429_that_stays_is_raised_when_patience_ends(exchange: Exchange, limiter: RateLimiter) -> None:
    exchange.answers[PATH] = [BUSY]
    impatient = ReadClient(exchange.base_url, limiter, patience=Patience(limited_s=(0.01,)))
    with pytest.raises(errors.TooManyRequests, match="30013"):
        impatient.read(SERVER_TIME)
    assert len(exchange.asked[PATH]) == 2
    impatient.close()


def test_a_418_stops_everything_at_once(exchange: Exchange, client: ReadClient) -> None:
    exchange.answers = {PATH: [refusal(30017, 418)], DEPTH.path: [ok(1)]}
    with pytest.raises(errors.AddressBlocked, match="30017"):
        client.read(SERVER_TIME)
    for route in (SERVER_TIME, DEPTH):
        with pytest.raises(Blocked, match="nothing is sent"):
            client.read(route)
    assert (len(exchange.asked[PATH]), len(exchange.asked[DEPTH.path])) == (1, 0)


def test_headers_that_say_the_window_is_full_hold_the_route(
    exchange: Exchange, client: ReadClient, limiter: RateLimiter
) -> None:
    full = {"X-BM-RateLimit-Remaining": "12", "X-BM-RateLimit-Limit": "12", "X-BM-RateLimit-Reset": "2"}
    exchange.answers[DEPTH.path] = [ok(1, **full)]
    client.read(DEPTH)
    assert limiter.reserve(DEPTH).wait_s == pytest.approx(2.0, abs=0.5)


@pytest.mark.parametrize(
    ("headers", "used_up", "reset_s"),
    [
        ({}, False, 2.0),
        ({"X-BM-RateLimit-Remaining": "11", "X-BM-RateLimit-Limit": "12"}, False, 2.0),
        ({"X-BM-RateLimit-Remaining": "12", "X-BM-RateLimit-Limit": "12"}, True, 2.0),
        ({"X-BM-RateLimit-Remaining": "0", "X-BM-RateLimit-Limit": "0"}, False, 2.0),
        ({"X-BM-RateLimit-Remaining": "x", "X-BM-RateLimit-Reset": "60"}, False, 60.0),
        ({"X-BM-RateLimit-Reset": "-5"}, False, 2.0),
    ],
)
def test_remaining_counts_what_is_already_used(
    headers: dict[str, str], used_up: bool, reset_s: float
) -> None:
    read = rate_headers(headers)
    assert (read.used_up, read.reset_s) == (used_up, reset_s)


def test_an_exchange_that_is_not_there_is_unavailable(limiter: RateLimiter) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = ReadClient(
            f"http://127.0.0.1:{unused.getsockname()[1]}", limiter, patience=Patience(unavailable_s=())
        )
        with pytest.raises(errors.Unavailable, match="no answer: ConnectionError"):
            nobody.read(SERVER_TIME)
        nobody.close()


def test_a_redirect_is_not_followed(exchange: Exchange, client: ReadClient) -> None:
    exchange.answers = {PATH: [Response(b"", 302, {"Location": DEPTH.path})], DEPTH.path: [ok(1)]}
    with pytest.raises(errors.Unavailable, match="HTTP 302"):
        client.read(SERVER_TIME)
    assert not exchange.asked[DEPTH.path]


def test_many_threads_share_one_client(exchange: Exchange, client: ReadClient) -> None:
    exchange.answers[DEPTH.path] = [ok(7)]
    answers: list[object] = []
    threads = [threading.Thread(target=lambda: answers.append(client.read(DEPTH).data)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert answers == [7] * 8


def test_every_call_is_logged_with_what_an_operator_needs(
    exchange: Exchange, client: ReadClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = structlog.testing.LogCapture()
    monkeypatch.setattr(
        "apps.exchange.bitmart.read_client.log", structlog.wrap_logger(None, processors=[capture])
    )
    exchange.answers[DEPTH.path] = [refusal(30014, 503), ok(1, **{"X-BM-RateLimit-Remaining": "2"})]
    client.read(DEPTH, {"symbol": "BTCUSDT"})
    failed, succeeded = capture.entries
    assert failed["event"] == succeeded["event"] == "http_call"
    assert (failed["error"], failed["code"], failed["status"]) == ("Unavailable", 30014, 503)
    assert (succeeded["endpoint"], succeeded["code"], succeeded["trace"]) == (DEPTH.path, 1000, "t")
    assert (succeeded["symbol"], succeeded["used"]) == ("BTCUSDT", 2)
    assert succeeded["ms"] > 0


@pytest.mark.parametrize(
    ("slow_ms", "answer", "levels"),
    [
        (1000.0, ok(1), ["debug"]),
        (0.0, ok(1), ["info"]),
        (1000.0, refusal(30014, 503), ["warning", "debug"]),
    ],
)
def test_a_read_is_told_aloud_only_when_it_is_slow_or_fails(
    exchange: Exchange,
    client: ReadClient,
    monkeypatch: pytest.MonkeyPatch,
    slow_ms: float,
    answer: Response,
    levels: list[str],
) -> None:
    capture = structlog.testing.LogCapture()
    monkeypatch.setattr(
        "apps.exchange.bitmart.read_client.log", structlog.wrap_logger(None, processors=[capture])
    )
    monkeypatch.setattr("apps.exchange.bitmart.read_client.SLOW_MS", slow_ms)
    exchange.answers[DEPTH.path] = [answer, ok(1)]
    client.read(DEPTH)
    assert [entry["log_level"] for entry in capture.entries] == levels
