from __future__ import annotations

import json

import pytest

from apps.engine.ports.account import BrokerRejected, BrokerUnknown
from apps.exchange.bitmart.call_outcome import outcome
from tests.bitmart import fixtures

PATH = "/contract/private/submit-order"


def body(code: int) -> bytes:
    return json.dumps({"code": code, "message": f"message of {code}", "trace": "t"}).encode()


def test_a_success_is_its_data() -> None:
    assert outcome(PATH, 200, b'{"code":1000,"message":"Ok","data":{"order_id":7}}') == {"order_id": 7}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        *((400, code) for code in (40011, 40016, 40020, 40027, 40034, 40040, 40043, 40044)),
        *((401, 30002), (401, 30005), (401, 30007), (403, 30010), (403, 30012), (404, 30000)),
        *((200, 42000), (200, 30016), (200, 30019), (400, 77777)),
    ],
)
def test_a_refusal_in_json_is_final(status: int, code: int) -> None:
    with pytest.raises(BrokerRejected, match=f"message of {code}") as caught:
        outcome(PATH, status, body(code))
    assert (caught.value.code, caught.value.try_again) == (str(code), False)


@pytest.mark.parametrize(
    ("status", "answer", "code", "try_again"),
    [
        (429, body(30013), "30013", True),
        (400, body(30013), "30013", True),
        (429, b"<html>slow down</html>", "HTTP 429", True),
        (418, body(30017), "30017", False),
        (418, b"", "HTTP 418", False),
    ],
)
def test_a_limit_refuses_and_only_a_limit_that_ends_may_be_tried_again(
    status: int, answer: bytes, code: str, try_again: bool
) -> None:
    with pytest.raises(BrokerRejected) as caught:
        outcome(PATH, status, answer)
    assert (caught.value.code, caught.value.try_again) == (code, try_again)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (400, body(40012)),
        (500, body(40012)),
        (400, body(40013)),
        (403, body(40050)),
        (503, body(30014)),
        (503, body(30018)),
        (500, body(40027)),
        (503, b"<html>maintenance</html>"),
        (403, b"<html>blocked</html>"),
        (200, b"<html>hello</html>"),
        (200, b""),
        (200, b'{"code":1000'),
        (200, b'{"message":"Ok"}'),
        (200, b'{"code":"1000"}'),
        (200, body(77777)),
        (302, b""),
        (502, body(1000)),
        (404, body(1000)),
    ],
)
def test_whatever_is_not_a_refusal_for_sure_is_unknown(status: int, answer: bytes) -> None:
    with pytest.raises(BrokerUnknown):
        outcome(PATH, status, answer)


@fixtures.needed
@pytest.mark.parametrize("name", fixtures.names("errors/[0-9]*.json"))
def test_every_recorded_refusal_is_either_final_or_unknown(name: str) -> None:
    recorded = fixtures.load(name)
    expected = BrokerUnknown if recorded["body"]["code"] in (40012, 40013, 40050) else BrokerRejected
    with pytest.raises(expected):
        outcome(PATH, recorded["http_status"], json.dumps(recorded["body"], default=str).encode())
