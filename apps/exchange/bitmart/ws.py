"""One WebSocket to the exchange as a source of texts."""

from __future__ import annotations

import zlib
from urllib.parse import urlsplit, urlunsplit

import websocket

from apps.exchange.bitmart.client import USER_AGENT

LARGEST_TEXT = 1 << 20
"""Bytes of an unpacked frame; a push has a few hundred."""


class Disconnected(Exception):
    """The connection is over, or could not be made; retry after a pause. Says why."""


def public_url(base_url: str) -> str:
    """The public channel of `base_url`, whose own path and query are replaced."""
    return _url(base_url, "/api")


def private_url(base_url: str) -> str:
    """The private channel, in the same way."""
    return _url(base_url, "/user")


class Socket:
    """For one thread. Every method raises Disconnected when the connection is over."""

    def __init__(self, url: str, *, connect_s: float, tick_s: float) -> None:
        """Connect; `tick_s` is how long `receive` waits."""
        try:
            self._socket = websocket.create_connection(
                url, timeout=connect_s, header={"User-Agent": USER_AGENT}, skip_utf8_validation=True
            )
        except (OSError, websocket.WebSocketException, ValueError) as fault:
            raise Disconnected(f"no connection: {type(fault).__name__}: {fault}") from fault
        self._socket.settimeout(tick_s)

    def send(self, text: str) -> None:
        try:
            self._socket.send(text)
        except (OSError, websocket.WebSocketException) as fault:
            raise Disconnected(f"sending failed: {type(fault).__name__}") from fault

    def receive(self) -> str | None:
        """The next text; empty for a control frame, None when nothing came in time."""
        try:
            opcode, data = self._socket.recv_data(control_frame=True)
        except websocket.WebSocketTimeoutException:
            return None
        except (OSError, websocket.WebSocketException) as fault:
            raise Disconnected(f"closed: {type(fault).__name__}") from fault
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise Disconnected("closed by the exchange")
        return _text(opcode, data)

    def close(self) -> None:
        try:
            self._socket.send_close()
        except (OSError, websocket.WebSocketException):
            pass  # it is over already, which is what we want
        finally:
            self._socket.shutdown()  # type: ignore[no-untyped-call]  # the library's own method lacks a type


def _url(base_url: str, path: str) -> str:
    parts = urlsplit(base_url)
    return urlunsplit((parts.scheme, parts.netloc, path, "protocol=1.1", ""))


def _text(opcode: int, data: bytes) -> str:
    """Text frames as they are, binary ones unpacked from raw deflate."""
    if opcode == websocket.ABNF.OPCODE_BINARY:
        try:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, LARGEST_TEXT)
        except zlib.error as fault:
            raise Disconnected(f"a binary frame is not deflated: {fault}") from fault
    elif opcode != websocket.ABNF.OPCODE_TEXT:
        return ""
    return data.decode(errors="replace")
