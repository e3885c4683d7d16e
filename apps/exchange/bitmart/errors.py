"""BitMart's envelope around every REST answer, `{code, message, trace, data}`, and what each code means.

A success is code 1000, not HTTP 200: some errors come with 200, most business errors with 400. The code
decides; the HTTP status only for the two limits, and where there is no known code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.engine.values.errors import TradingError
from apps.exchange.transport.rate_limiter import Blocked, RateLimited

OK = 1000


class BitMartError(TradingError):
    """An answer that is not a success. `retryable`: the same read may succeed later."""

    remedy = "read the message"

    def __init__(
        self, endpoint: str, message: str, *, code: int | None = None, status: int = 0, trace: str = ""
    ) -> None:
        numbers = ", ".join(
            f"{name} {value}" for name, value in (("code", code), ("HTTP", status), ("trace", trace)) if value
        )
        super().__init__(f"{endpoint}: {message} ({numbers or 'no answer'}); {self.remedy}")
        self.endpoint = endpoint
        self.code = code
        self.status = status
        self.trace = trace


class TooManyRequests(BitMartError, RateLimited):
    remedy = RateLimited.remedy


class AddressBlocked(BitMartError, Blocked):
    remedy = Blocked.remedy


class Unavailable(BitMartError):
    """Their side, a proxy in front of it, or the way there: 5xx, HTML, no JSON, no answer in time."""

    retryable = True
    remedy = "retry; if it stays, look at the exchange's status and at our network"


class Maintenance(Unavailable):
    remedy = "pause until the exchange is back"


class ClockOff(BitMartError):
    retryable = True
    remedy = "synchronise this machine's clock (NTP)"


class BadSymbol(BitMartError):
    """Unknown, offline or paused contract: only this symbol is concerned."""

    remedy = "stop asking for this symbol until the contracts are synchronised"


class AccessDenied(BitMartError):
    remedy = "check BITMART_API_KEY, BITMART_SECRET_KEY, BITMART_API_MEMO, the key's rights and its IP list"


class WrongRequest(BitMartError):
    """A request that can never succeed: our programming error. Never to be read as "no result"."""

    remedy = "report it: the request itself is wrong"


class Refused(BitMartError):
    """The exchange's rules refuse this order or transfer."""

    remedy = "do not repeat it unchanged"


class StateDiffers(BitMartError):
    """The exchange's books are not what the request assumed."""

    remedy = "read the exchange's state before deciding anything"


class Unclear(BitMartError):
    """The catch-all of the exchange, or a code no table has: only the message can tell."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A success; `data` as sent, fractions as Decimal."""

    data: Any
    trace: str


def open_envelope(endpoint: str, status: int, body: bytes) -> Envelope:
    """Return the success inside; raise the BitMartError that this answer means."""
    try:
        answer = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or type(answer.get("code")) is not int:
        text = " ".join(body[:200].decode(errors="replace").split())
        beginning = repr(text[:80]) if text else "an empty body"
        raise error_for(endpoint, status, message=f"not an answer of the API: {beginning}")
    trace = str(answer.get("trace") or "")
    if answer["code"] != OK:
        message = str(answer.get("message") or "no message")
        raise error_for(endpoint, status, code=answer["code"], message=message, trace=trace)
    return Envelope(answer.get("data"), trace)


def error_for(
    endpoint: str, status: int, *, code: int | None = None, message: str = "", trace: str = ""
) -> BitMartError:
    """Return the exception of an answer that is not a success; `code` None when the body was not theirs."""
    kind = _BY_STATUS.get(status) or _BY_CODE.get(code)
    if kind is None:
        kind = Unavailable if code is None or status >= 500 else Unclear
    return kind(endpoint, message, code=code, status=status, trace=trace)


_BY_STATUS: dict[int, type[BitMartError]] = {418: AddressBlocked, 429: TooManyRequests}
_CODES: dict[type[BitMartError], tuple[int, ...]] = {
    TooManyRequests: (30013,),
    AddressBlocked: (30017,),
    Unavailable: (30014, 25601),  # 25601: seen while their servers were upgraded
    Maintenance: (30016,),
    ClockOff: (30007, 40013),
    BadSymbol: (40014, 40015, 40034),
    AccessDenied: (
        *(30001, 30002, 30003, 30004, 30005, 30006, 30008, 30010, 30011, 30012, 30019),
        *(40046, 40047),
    ),
    WrongRequest: (
        *(30000, 30018, 30030, 30031),
        *(40001, 40002, 40003, 40004, 40005, 40006, 40007, 40008, 40009, 40010, 40011),
        *(40038, 40039, 40041, 40042, 40043, 40045, 40048, 40049, 49998),
    ),
    Refused: (
        *(40016, 40017, 40022, 40023, 40024, 40025, 40026, 40027, 40028, 40029),
        *(40030, 40031, 40032, 40033, 40040, 40044, 40059, 42000),
    ),
    StateDiffers: (
        *(40018, 40019, 40020, 40021, 40035, 40036, 40037),
        40050,  # a duplicate id: the earlier attempt arrived
    ),
    Unclear: (40012,),  # "System error", also for a wrong leverage, an invalid order, a short balance
}
_BY_CODE: dict[int | None, type[BitMartError]] = {
    code: kind for kind, codes in _CODES.items() for code in codes
}
