"""The broker's changes as the exchange receives them, and when they are not sent at all."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.ports.account import BrokerRateLimited, BrokerRejected, BrokerUnavailable, BrokerUnknown
from apps.engine.values.order import OrderRequest, ProtectionKind, Role, TimeInForce, client_order_id
from apps.engine.values.position import PositionMode, Side
from apps.exchange.bitmart import request_body, routes
from apps.exchange.bitmart.broker import Broker
from apps.exchange.bitmart.order_client import OrderClient
from apps.exchange.bitmart.routes import SUBMIT_ORDER, SUBMIT_PROTECTION
from apps.exchange.transport.rate import window_limit
from apps.exchange.transport.rate_limiter import RateLimiter
from tests.bitmart.conftest import CREDENTIALS, WIDE
from tests.bitmart.scripted_exchange import Exchange, Response, ok, refusal

SUBMIT = SUBMIT_ORDER.path
ENTRY = OrderRequest(
    symbol="BTCUSDT",
    side=Side.LONG,
    opens=True,
    size=Decimal(10),
    price=Decimal("65000.50"),
    time_in_force=TimeInForce.GTC,
    leverage=10,
    client_order_id="tv3e0001",
    stop_price=Decimal("64000"),
    target_price=Decimal("67000.0"),
)
CLOSE = replace(
    ENTRY, opens=False, price=None, stop_price=None, target_price=None, client_order_id="tv3x0001"
)
ACCEPTED = ok({"order_id": 220609666322019, "price": "65000.5"})
LIMIT_BODY = {
    "symbol": "BTCUSDT",
    "client_order_id": "tv3e0001",
    "side": 1,
    "type": "limit",
    "mode": 1,
    "price": "65000.5",
    "leverage": "10",
    "open_type": "isolated",
    "size": 10,
    "preset_stop_loss_price": "64000",
    "preset_stop_loss_price_type": 1,
    "preset_take_profit_price": "67000",
    "preset_take_profit_price_type": 1,
}
MARKET_BODY = {
    "symbol": "BTCUSDT",
    "client_order_id": "tv3x0001",
    "side": 3,
    "type": "market",
    "leverage": "10",
    "open_type": "isolated",
    "size": 10,
}


def test_an_order_is_placed_and_its_id_is_text(exchange: Exchange, broker: Broker) -> None:
    exchange.answers[SUBMIT] = [ACCEPTED]
    assert broker.submit(ENTRY) == "220609666322019"
    (posted,) = exchange.posted[SUBMIT]
    assert posted.fields == LIMIT_BODY == broker.prepare(ENTRY)


def test_the_signature_is_over_the_bytes_that_arrive(exchange: Exchange, broker: Broker) -> None:
    exchange.answers[SUBMIT] = [ACCEPTED]
    broker.submit(ENTRY)
    (posted,) = exchange.posted[SUBMIT]
    signed = f"{posted.headers['x-bm-timestamp']}#{CREDENTIALS.memo}#".encode() + posted.body
    expected = hmac.new(CREDENTIALS.secret.encode(), signed, hashlib.sha256).hexdigest()
    assert posted.headers["x-bm-sign"] == expected
    assert posted.headers["x-bm-key"] == CREDENTIALS.key
    assert posted.headers["content-type"] == "application/json"
    assert abs(time.time() * 1000 - int(posted.headers["x-bm-timestamp"])) < 10_000


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (ENTRY, LIMIT_BODY),
        (replace(ENTRY, side=Side.SHORT), LIMIT_BODY | {"side": 4}),
        (replace(ENTRY, time_in_force=TimeInForce.FOK), LIMIT_BODY | {"mode": 2}),
        (replace(ENTRY, time_in_force=TimeInForce.IOC), LIMIT_BODY | {"mode": 3}),
        (replace(ENTRY, time_in_force=TimeInForce.POST_ONLY), LIMIT_BODY | {"mode": 4}),
        (replace(ENTRY, price=Decimal("1E-8")), LIMIT_BODY | {"price": "0.00000001"}),
        (CLOSE, MARKET_BODY),
        (replace(CLOSE, side=Side.SHORT), MARKET_BODY | {"side": 2}),
        (replace(CLOSE, time_in_force=TimeInForce.POST_ONLY), MARKET_BODY),
    ],
)
def test_each_kind_of_order_has_its_body(request_: OrderRequest, body: dict[str, Any]) -> None:
    assert request_body.order(request_) == body


@pytest.mark.parametrize("size", ["0", "-1", "1.5"])
def test_a_size_that_is_no_number_of_contracts_is_not_sent(
    exchange: Exchange, broker: Broker, size: str
) -> None:
    with pytest.raises(ValueError, match=f"size {size} is not"):
        broker.submit(replace(ENTRY, size=Decimal(size)))
    assert not exchange.posted[SUBMIT]


@given(price=st.decimals(min_value=Decimal("1e-10"), max_value=Decimal("1e9"), allow_nan=False, places=10))
def test_a_price_is_written_without_exponent_and_reads_back_the_same(price: Decimal) -> None:
    written = request_body.order(replace(ENTRY, price=price))["price"]
    assert isinstance(written, str)
    assert set(written) <= set("0123456789.")
    assert Decimal(written) == price


def test_our_own_ids_are_ones_the_exchange_takes() -> None:
    client_id = client_order_id(Role.ENTRY, "any decision")
    assert client_id.isalnum()
    assert len(client_id) <= 32


@pytest.mark.parametrize(
    ("call", "path", "body"),
    [
        (
            lambda broker: broker.cancel("BTCUSDT", "tv3e0001"),
            "/contract/private/cancel-order",
            {"symbol": "BTCUSDT", "client_order_id": "tv3e0001"},
        ),
        (
            lambda broker: broker.unprotect("BTCUSDT", "77"),
            "/contract/private/cancel-plan-order",
            {"symbol": "BTCUSDT", "order_id": "77"},
        ),
        (
            lambda broker: broker.set_leverage("BTCUSDT", 7),
            "/contract/private/submit-leverage",
            {"symbol": "BTCUSDT", "leverage": "7", "open_type": "isolated"},
        ),
        (
            lambda broker: broker.set_position_mode(PositionMode.ONE_WAY),
            "/contract/private/set-position-mode",
            {"position_mode": "one_way_mode"},
        ),
        (
            lambda broker: broker.cancel_after("BTCUSDT", 60),
            "/contract/private/cancel-all-after",
            {"timeout": 60, "symbol": "BTCUSDT"},
        ),
    ],
)
def test_each_change_has_its_body(
    exchange: Exchange, broker: Broker, call: Callable[[Broker], None], path: str, body: dict[str, Any]
) -> None:
    exchange.answers[path] = [Response(b'{"code":1000,"message":"Ok","trace":"t"}')]
    call(broker)
    assert [posted.fields for posted in exchange.posted[path]] == [body]


@pytest.mark.parametrize(
    ("side", "kind", "type_", "number"),
    [
        (Side.LONG, ProtectionKind.STOP, "stop_loss", 3),
        (Side.SHORT, ProtectionKind.TARGET, "take_profit", 2),
    ],
)
def test_a_protection_closes_the_whole_position_at_market_by_the_last_price(
    exchange: Exchange, broker: Broker, side: Side, kind: ProtectionKind, type_: str, number: int
) -> None:
    exchange.answers[SUBMIT_PROTECTION.path] = [ok({"order_id": "99", "client_order_id": "tv3s0001"})]
    assert broker.protect("BTCUSDT", side, kind, Decimal("64000.0"), "tv3s0001") == "99"
    (posted,) = exchange.posted[SUBMIT_PROTECTION.path]
    assert posted.fields == {
        "symbol": "BTCUSDT",
        "type": type_,
        "side": number,
        "trigger_price": "64000",
        "executive_price": "0",
        "price_type": 1,
        "plan_category": 2,
        "category": "market",
        "client_order_id": "tv3s0001",
    }


def test_a_target_for_a_part_names_its_contracts(exchange: Exchange, broker: Broker) -> None:
    exchange.answers[SUBMIT_PROTECTION.path] = [ok({"order_id": "99", "client_order_id": "tv3t0001"})]
    broker.protect("BTCUSDT", Side.LONG, ProtectionKind.TARGET, Decimal(64000), "tv3t0001", Decimal(7))
    (posted,) = exchange.posted[SUBMIT_PROTECTION.path]
    assert (posted.fields["plan_category"], posted.fields["size"]) == (1, 7)


def test_a_cancel_without_an_id_would_cancel_everything_and_is_not_sent(
    exchange: Exchange, broker: Broker
) -> None:
    for call in (broker.cancel, broker.unprotect):
        with pytest.raises(ValueError, match="without an id"):
            call("BTCUSDT", "")
    assert not exchange.posted


@pytest.mark.parametrize("code", [40035, 40036, 40037])
def test_cancelling_what_is_over_already_is_no_error(exchange: Exchange, broker: Broker, code: int) -> None:
    for path in (routes.CANCEL_ORDER.path, routes.CANCEL_PLAN_ORDER.path):
        exchange.answers[path] = [refusal(code)]
    broker.cancel("BTCUSDT", "tv3e0001")
    broker.unprotect("BTCUSDT", "77")
    exchange.answers[routes.CANCEL_ORDER.path] = [refusal(40034)]
    with pytest.raises(BrokerRejected, match="40034"):
        broker.cancel("BTCUSDT", "tv3e0001")


@pytest.mark.parametrize("data", [{}, None, {"order_id": None}, {"price": "1"}])
def test_a_success_without_an_order_id_is_unknown(exchange: Exchange, broker: Broker, data: Any) -> None:
    exchange.answers[SUBMIT] = [ok(data)]
    with pytest.raises(BrokerUnknown, match="without an order id"):
        broker.submit(ENTRY)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (refusal(40027), BrokerRejected),
        (refusal(42000, 200), BrokerRejected),
        (refusal(40012), BrokerUnknown),
        (refusal(40050, 403), BrokerUnknown),
        (Response(b"<html></html>", 503), BrokerUnknown),
    ],
)
def test_an_order_is_sent_once_whatever_the_answer(
    exchange: Exchange, broker: Broker, answer: Response, fault: type[Exception]
) -> None:
    exchange.answers[SUBMIT] = [answer, ACCEPTED]
    with pytest.raises(fault):
        broker.submit(ENTRY)
    assert len(exchange.posted[SUBMIT]) == 1


def test_the_last_check_comes_after_the_slot_and_stops_the_bytes(
    exchange: Exchange, limiter: RateLimiter, broker: Broker
) -> None:
    class SwitchedOff(Exception):
        pass

    def check() -> None:
        free = window_limit(SUBMIT_ORDER).calls - 1  # one slot is taken when the switch is read
        assert [limiter.reserve(SUBMIT_ORDER).wait_s > 0 for _ in range(free + 1)] == [False] * free + [True]
        raise SwitchedOff

    with pytest.raises(SwitchedOff):
        broker.submit(ENTRY, before_sending=check)
    assert not exchange.posted


def test_an_order_is_signed_after_its_wait_right_before_the_last_check(
    exchange: Exchange, limiter: RateLimiter, broker: Broker
) -> None:
    exchange.answers[SUBMIT] = [ACCEPTED]
    limiter.hold(SUBMIT_ORDER, 2)
    checked_ms: list[int] = []
    broker.submit(CLOSE, before_sending=lambda: checked_ms.append(time.time_ns() // 1_000_000))
    (posted,) = exchange.posted[SUBMIT]
    assert 0 <= checked_ms[0] - int(posted.headers["x-bm-timestamp"]) < 1500


def test_nobody_there_is_unavailable_and_the_last_check_is_not_even_asked(limiter: RateLimiter) -> None:
    checks: list[int] = []
    nobody = OrderClient("http://127.0.0.1:1", limiter, CREDENTIALS)
    with pytest.raises(BrokerUnavailable):
        nobody.send(SUBMIT_ORDER, {}, before_sending=lambda: checks.append(1))
    assert checks == []


def test_an_opening_order_does_not_wait_for_a_far_slot(
    exchange: Exchange, limiter: RateLimiter, broker: Broker
) -> None:
    limiter.hold(SUBMIT_ORDER, 20)
    started = time.monotonic()
    with pytest.raises(BrokerRateLimited):
        broker.submit(ENTRY)
    assert time.monotonic() - started < 10
    assert not exchange.posted


def test_a_closing_order_waits_for_a_far_slot(
    exchange: Exchange, limiter: RateLimiter, broker: Broker
) -> None:
    exchange.answers[SUBMIT] = [ACCEPTED]
    limiter.hold(SUBMIT_ORDER, 0.8)
    started = time.monotonic()
    assert broker.submit(CLOSE) == "220609666322019"
    assert time.monotonic() - started >= 0.7


def test_ten_orders_pass_at_once(exchange: Exchange, broker: Broker) -> None:
    exchange.answers[SUBMIT] = [ACCEPTED]
    faults: list[Exception] = []

    def place() -> None:
        try:
            broker.submit(ENTRY)
        except Exception as fault:  # the thread's own fault, told by the assertion
            faults.append(fault)

    threads = [threading.Thread(target=place) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert faults == []
    assert len(exchange.posted[SUBMIT]) == 10


def test_a_429_is_to_be_waited_out_by_everyone(
    exchange: Exchange, limiter: RateLimiter, broker: Broker
) -> None:
    exchange.answers[SUBMIT] = [refusal(30013, 429, **{"X-BM-RateLimit-Reset": "2"})]
    with pytest.raises(BrokerRejected) as caught:
        broker.submit(ENTRY)
    assert caught.value.try_again
    with pytest.raises(BrokerRateLimited):
        broker.submit(ENTRY)
    assert len(exchange.posted[SUBMIT]) == 1


def test_a_418_stops_everything(exchange: Exchange, broker: Broker) -> None:
    exchange.answers[SUBMIT] = [refusal(30017, 418)]
    with pytest.raises(BrokerRejected) as caught:
        broker.submit(ENTRY)
    assert not caught.value.try_again
    for call in (lambda: broker.submit(CLOSE), broker.account):
        with pytest.raises(BrokerUnavailable, match="blocked"):
            call()
    assert len(exchange.posted[SUBMIT]) == 1


def test_without_redis_orders_go_on_at_a_fifth_of_the_limit(exchange: Exchange) -> None:
    exchange.answers[SUBMIT] = [ACCEPTED]
    alone = RateLimiter("redis://127.0.0.1:1/0", "alone", ceiling=WIDE)
    trading = OrderClient(exchange.base_url, alone, CREDENTIALS)
    for _ in range(2):  # 24 in 2 s: one each half second
        trading.send(SUBMIT_ORDER, {"symbol": "BTCUSDT"}, longest_wait_s=0.5)
    alone.reserve(SUBMIT_ORDER)
    with pytest.raises(BrokerRateLimited):
        trading.send(SUBMIT_ORDER, {"symbol": "BTCUSDT"}, longest_wait_s=0.5)
    assert len(exchange.posted[SUBMIT]) == 2
    trading.close()


def test_a_call_is_logged_with_what_an_operator_needs_and_nothing_secret(
    exchange: Exchange, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = structlog.testing.LogCapture()
    monkeypatch.setattr(
        "apps.exchange.bitmart.order_client.log", structlog.wrap_logger(None, processors=[capture])
    )
    exchange.answers[SUBMIT] = [refusal(40027), ACCEPTED]
    with pytest.raises(BrokerRejected):
        broker.submit(ENTRY)
    broker.submit(ENTRY)
    failed, succeeded = capture.entries
    for entry in capture.entries:
        assert (entry["event"], entry["endpoint"]) == ("http_call", SUBMIT)
        assert (entry["symbol"], entry["client_order_id"]) == ("BTCUSDT", "tv3e0001")
        assert CREDENTIALS.secret not in str(entry)
        assert CREDENTIALS.memo not in str(entry)
    assert (failed["error"], succeeded["code"]) == ("BrokerRejected", 1000)
    assert "40027" in failed["message"]
