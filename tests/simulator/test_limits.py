"""The request limits count calls of one endpoint and address in a sliding window."""

from __future__ import annotations

from apps.exchange.simulator.codes import Code
from apps.exchange.simulator.server.limits import Limits
from tests.simulator.conftest import Client, Serve

KLINE, INTEREST, TIME = "/contract/public/kline", "/contract/public/open-interest", "/system/time"


def test_a_window_of_two_seconds_lets_twelve_calls_through_and_slides() -> None:
    limits = Limits()
    passed = [at / 10 for at in range(60) if limits.admit("a", KLINE, at / 10).refusal is None]
    for start in range(40):
        assert sum(start / 10 <= at < start / 10 + 2 for at in passed) <= 12
    assert passed[:13] == [at / 10 for at in range(12)] + [2.0]


def test_each_endpoint_and_each_address_has_its_own_window() -> None:
    limits = Limits()
    for endpoint, limit in ((KLINE, 12), (INTEREST, 2), (TIME, 10)):
        for address in ("a", "b"):
            answers = [limits.admit(address, endpoint, 5.0) for _ in range(limit + 1)]
            assert [answer.refusal for answer in answers] == [None] * limit + [Code.TOO_MANY]
            assert [answer.used for answer in answers] == [*range(1, limit + 1), limit]


def test_the_system_routes_count_by_the_second() -> None:
    limits = Limits()
    assert all(limits.admit("a", TIME, 0.0).refusal is None for _ in range(10))
    assert limits.admit("a", TIME, 0.99).refusal is Code.TOO_MANY
    assert limits.admit("a", TIME, 1.0).refusal is None


def test_twenty_refusals_within_ten_seconds_block_the_address_for_a_minute() -> None:
    limits = Limits()
    answers = [limits.admit("a", INTEREST, 0.001 * at).refusal for at in range(23)]
    assert answers == [None] * 2 + [Code.TOO_MANY] * 20 + [Code.BLOCKED]
    assert limits.admit("a", KLINE, 60.0).refusal is Code.BLOCKED
    assert limits.admit("b", KLINE, 60.0).refusal is None
    assert limits.admit("a", KLINE, 60.03).refusal is None


def test_refusals_spread_over_a_longer_time_do_not_block() -> None:
    limits = Limits()
    refusals = set()
    for at in range(200):
        refusals |= {limits.admit("a", INTEREST, at * 1.0).refusal for _ in range(2)}
    assert refusals == {None, Code.TOO_MANY}


def test_over_the_limit_the_server_answers_429_and_says_so_in_the_headers(exchange: Serve) -> None:
    client = exchange(limits=True)
    answers = [client.get(INTEREST, symbol="BTCUSDT") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == 30013
    assert [answer.headers["X-BM-RateLimit-Remaining"] for answer in answers] == ["1", "2", "2"]
    assert {answer.headers["X-BM-RateLimit-Reset"] for answer in answers} == {"2"}


def test_who_goes_on_is_blocked_with_418_until_limits_are_switched_off(exchange: Serve) -> None:
    client = exchange(limits=True)
    answers = [client.get("/nowhere") for _ in range(33)]
    assert answers[-1].status_code == 418
    assert answers[-1].json()["code"] == 30017
    assert client.switch(limits=False).status_code == 200
    assert client.get("/system/time").status_code == 200


def test_without_limits_any_number_of_calls_pass(still: Client) -> None:
    assert {still.get(INTEREST, symbol="BTCUSDT").status_code for _ in range(6)} == {200}
