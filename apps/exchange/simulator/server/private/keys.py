"""API keys: who may ask, and how a request proves who sent it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from apps.exchange.simulator.codes import Code, Refused

CLOCK_MS = 60_000
SOCKET_TEXT = b"bitmart.WebSocket"

STANDINGS = {
    "trade": None,
    "read": None,
    "frozen": Code.FROZEN_KEY,
    "expired": Code.EXPIRED_KEY,
    "elsewhere": Code.FORBIDDEN_IP,
}
"""What a key may do, and with what code a key of no use is refused."""


@dataclass(frozen=True, slots=True)
class Key:
    """Play credentials. `standing` is one of STANDINGS; only `trade` may send signed requests."""

    key: str
    secret: str
    memo: str
    standing: str = "trade"

    def __post_init__(self) -> None:
        if self.standing not in STANDINGS or not (self.key and self.secret and self.memo):
            raise ValueError(
                f"a key is KEY:SECRET:MEMO or KEY:SECRET:MEMO:STANDING, of {', '.join(STANDINGS)}"
            )

    @classmethod
    def parse(cls, text: str) -> Key:
        parts = text.split(":")
        if not 3 <= len(parts) <= 4:
            raise ValueError(f"{len(parts)} parts: a key is KEY:SECRET:MEMO or KEY:SECRET:MEMO:STANDING")
        return cls(*parts)

    def sign(self, timestamp: str, body: bytes) -> str:
        """HMAC-SHA256 in hex over timestamp#memo#body, the body byte for byte as it came."""
        signed = f"{timestamp}#{self.memo}#".encode() + body
        return hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()


PLAY_KEYS = (
    Key("simulator", "simulator-secret", "simulator"),
    Key("simulator-read", "simulator-read-secret", "simulator", "read"),
)
"""The local exchange's own keys, known to everyone: there is only play money behind them."""

Keys = Mapping[str, Key]


def usable_key(keys: Keys, name: str) -> Key:
    """The key of that name, if it is of any use."""
    if not name:
        raise Refused(Code.NO_KEY)
    if name not in keys:
        raise Refused(Code.BAD_KEY)
    key = keys[name]
    if refusal := STANDINGS[key.standing]:
        raise Refused(refusal)
    return key


def check_signed(key: Key, headers: Mapping[str, str], body: bytes, now_ms: int) -> None:
    """Refuses unless the exact body was signed by this key within a minute of our clock."""
    timestamp, sign = headers.get("x-bm-timestamp", ""), headers.get("x-bm-sign", "")
    if key.standing != "trade":
        raise Refused(Code.FORBIDDEN)
    if not timestamp:
        raise Refused(Code.NO_STAMP)
    if not sign:
        raise Refused(Code.NO_SIGN)
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 16):
        raise Refused(Code.STAMP_FORMAT)
    if abs(int(timestamp) - now_ms) > CLOCK_MS:
        raise Refused(Code.STAMP_RANGE)
    if not hmac.compare_digest(key.sign(timestamp, body).encode(), sign.encode()):
        raise Refused(Code.BAD_SIGN)


def may_log_in(keys: Keys, arguments: list[str], now_ms: int) -> bool:
    """Are these the arguments of a WebSocket login: key, timestamp, sign, "web"?"""
    if len(arguments) < 3:
        return False
    name, timestamp, sign = arguments[:3]
    key = keys.get(name)
    if key is None or STANDINGS[key.standing] or not (timestamp.isascii() and timestamp.isdigit()):
        return False
    if abs(int(timestamp) - now_ms) > CLOCK_MS:
        return False
    return hmac.compare_digest(key.sign(timestamp, SOCKET_TEXT).encode(), sign.encode())
