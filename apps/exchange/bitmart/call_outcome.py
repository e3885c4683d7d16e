"""What the answer to a signed call means: done, refused for sure, or unknown. In doubt it is unknown."""

from __future__ import annotations

from typing import Any

from apps.engine.ports.account import BrokerRejected, BrokerUnknown
from apps.exchange.bitmart.errors import BitMartError, open_envelope

AMBIGUOUS = (40012, 40013, 40050)
"""A catch-all, a busy server, and a client id that exists already: because the first attempt arrived."""
REFUSED_WITH_200 = (30016, 30019, 42000)
TOO_MANY = 429
TOO_MANY_CODE = 30013
BLOCKED = 418


def outcome(endpoint: str, status: int, body: bytes) -> Any:
    """Return the data of a success. BrokerRejected when nothing happened for sure, else BrokerUnknown."""
    try:
        data = open_envelope(endpoint, status, body).data
    except BitMartError as fault:
        limited, code = fault.status in (TOO_MANY, BLOCKED), fault.code
        clear = code is not None and code not in AMBIGUOUS
        if limited or (clear and (400 <= status < 500 or (status == 200 and code in REFUSED_WITH_200))):
            try_again = fault.status == TOO_MANY or code == TOO_MANY_CODE
            raise BrokerRejected(
                str(code or f"HTTP {fault.status}"), str(fault), try_again=try_again
            ) from fault
        raise BrokerUnknown(str(fault)) from fault
    if status != 200:
        raise BrokerUnknown(f"{endpoint}: a success by its code, HTTP {status} by its status")
    return data
