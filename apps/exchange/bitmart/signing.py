"""Signatures of BitMart Futures V2: HMAC-SHA256 in hex over `timestamp#memo#text`; no path is signed."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

WEBSOCKET_TEXT = "bitmart.WebSocket"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An API key: three parts, all of them needed. Only the key may be seen: repr hides the other two."""

    key: str
    secret: str = field(repr=False)
    memo: str = field(repr=False)


def signature(credentials: Credentials, timestamp_ms: int, text: str) -> str:
    """Return the signature of the exact text sent: serialise a body once, sign that string, send that one."""
    signed = f"{timestamp_ms}#{credentials.memo}#{text}"
    return hmac.new(credentials.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()


def headers(credentials: Credentials, timestamp_ms: int, body: str) -> dict[str, str]:
    """Return the headers of a signed request (every POST); a private GET needs X-BM-KEY alone."""
    return {
        "X-BM-KEY": credentials.key,
        "X-BM-TIMESTAMP": str(timestamp_ms),
        "X-BM-SIGN": signature(credentials, timestamp_ms, body),
        "Content-Type": "application/json",
    }


def login(credentials: Credentials, timestamp_ms: int) -> dict[str, object]:
    """Return the message that opens the private WebSocket; it expires 60 s after its timestamp."""
    signed = signature(credentials, timestamp_ms, WEBSOCKET_TEXT)
    return {"action": "access", "args": [credentials.key, str(timestamp_ms), signed, "web"]}
