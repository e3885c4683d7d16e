"""What the answer to a signed call means: done, refused for sure, or unknown. In doubt it is unknown."""

from __future__ import annotations

from typing import Any

from apps.engine.ports import BrokerRejected, BrokerUnknown
from apps.engine.values.errors import TradingError
from apps.exchange.bitmart.envelope import opened
from apps.exchange.bitmart.errors import BitMartError

AMBIGUOUS = (40012, 40013, 40050)
"""A catch-all, a busy server, and a client id that exists already: because the first attempt arrived."""
REFUSED_WITH_200 = (30016, 30019, 42000)
TOO_MANY = 429
TOO_MANY_CODE = 30013
BLOCKED = 418


def outcome(endpoint: str, status: int, body: bytes) -> Any:
    """The data of a success. BrokerRejected when nothing happened for sure, else BrokerUnknown."""
    try:
        data = opened(endpoint, status, body).data
    except BitMartError as fault:
        raise _meaning(fault) from fault
    if status != 200:
        raise BrokerUnknown(f"{endpoint}: a success by its code, HTTP {status} by its status")
    return data


def _meaning(fault: BitMartError) -> TradingError:
    if fault.status in (TOO_MANY, BLOCKED) or _is_refusal(fault):
        code = str(fault.code or f"HTTP {fault.status}")
        try_again = fault.status == TOO_MANY or fault.code == TOO_MANY_CODE
        return BrokerRejected(code, str(fault), try_again=try_again)
    return BrokerUnknown(str(fault))


def _is_refusal(fault: BitMartError) -> bool:
    if fault.code is None or fault.code in AMBIGUOUS:
        return False
    return 400 <= fault.status < 500 or (fault.status == 200 and fault.code in REFUSED_WITH_200)
