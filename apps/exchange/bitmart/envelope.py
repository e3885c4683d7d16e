"""BitMart's envelope around every REST answer: `{code, message, trace, data}`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.exchange.bitmart.errors import OK, error_for


@dataclass(frozen=True, slots=True)
class Envelope:
    """A success; `data` as sent, fractions as Decimal."""

    data: Any
    trace: str


def opened(endpoint: str, status: int, body: bytes) -> Envelope:
    """The success inside, or the BitMartError that this answer means."""
    try:
        found = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or type(found.get("code")) is not int:
        raise error_for(endpoint, status, message=f"not an answer of the API: {_beginning(body)}")
    trace = str(found.get("trace") or "")
    if found["code"] != OK:
        message = str(found.get("message") or "no message")
        raise error_for(endpoint, status, code=found["code"], message=message, trace=trace)
    return Envelope(found.get("data"), trace)


def _beginning(body: bytes) -> str:
    text = " ".join(body[:200].decode(errors="replace").split())
    return repr(text[:80]) if text else "an empty body"
