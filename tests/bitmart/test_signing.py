from __future__ import annotations

import hashlib
import hmac

import pytest

from apps.exchange.bitmart.signing import Credentials, headers, login, signature

KEY = Credentials("key001", "6c6c98544461bbe71db2bca4c6d7fd0021e0ba9efc215f9c6ad41852df9d9df9", "test001")
ORDER = (
    '{"symbol":"BTCUSDT","client_order_id":"mtf0001","side":1,"mode":1,"type":"limit","leverage":"10",'
    '"open_type":"isolated","size":10,"price":"65000.5"}'
)
SPACED_ORDER = ORDER.replace(",", ", ").replace(":", ": ")
QUERY = "symbol=BTCUSDT&order_id=220609666322019"


@pytest.mark.parametrize(
    ("timestamp_ms", "text", "expected"),
    [
        (
            1589793796145,
            '{"symbol":"BTC_USDT","price":"8600","count":"100"}',
            "c31dc326bf87f38bfb49a3f8494961abfa291bd549d0d98d9578e87516cee46d",
        ),
        (1763600000000, ORDER, "4d840407606f9c67c3594807e06db537904cfaf9ab808dd00cda119074a90ae2"),
        (1763600000000, SPACED_ORDER, "6fbea6f0dfd50135db3041622cbbf7c52441ad2ad071f12e7fe89e54673f2ff4"),
        (1763600000000, "{}", "629f7073ac83a18746c95ad40883fb96b1486057fc2a8dcf080017ff36a6ffc9"),
        (1763600000000, "", "8292330225f8094e896321903caec3ce5682a91c8c4e296bea89ed1cb4ee394a"),
        (1763600000000, QUERY, "72dcbc9d23e095432b7680c605cb53690bef87bb2832c21f7e31d6d3f90cb306"),
        (
            1589267764859,
            "bitmart.WebSocket",
            "3ceeb7e1b8cb165a975e28a2e2dfaca4d30b358873c0351c1a071d8c83314556",
        ),
        (
            1763600000000,
            "bitmart.WebSocket",
            "01c307adcb8d37180e854489b33a6005b2b4daedddb0d69b8773d676b296e609",
        ),
    ],
    ids=["documented", "compact", "spaced", "empty object", "empty", "query", "documented login", "login"],
)
def test_a_text_is_signed_as_the_exchange_documents(timestamp_ms: int, text: str, expected: str) -> None:
    assert signature(KEY, timestamp_ms, text) == expected


def test_the_path_is_not_signed_and_the_memo_is() -> None:
    with_path = "a88e67216acd77c23af065ed2d95591308c9245e90055049ffcb357141642539"
    unsalted = f"1763600000000/contract/private/submit-order{ORDER}"
    assert hmac.new(KEY.secret.encode(), unsalted.encode(), hashlib.sha256).hexdigest() == with_path
    assert headers(KEY, 1763600000000, ORDER)["X-BM-SIGN"] != with_path


def test_a_signed_request_carries_key_time_and_signature() -> None:
    assert headers(KEY, 1763600000000, "{}") == {
        "X-BM-KEY": "key001",
        "X-BM-TIMESTAMP": "1763600000000",
        "X-BM-SIGN": "629f7073ac83a18746c95ad40883fb96b1486057fc2a8dcf080017ff36a6ffc9",
        "Content-Type": "application/json",
    }


def test_the_login_message_signs_the_websocket_text() -> None:
    signed = "01c307adcb8d37180e854489b33a6005b2b4daedddb0d69b8773d676b296e609"
    assert login(KEY, 1763600000000) == {
        "action": "access",
        "args": ["key001", "1763600000000", signed, "web"],
    }


def test_the_secret_and_the_memo_are_never_shown() -> None:
    shown = f"{KEY!r} {KEY}"
    assert KEY.secret not in shown
    assert KEY.memo not in shown
