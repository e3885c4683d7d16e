"""One HTTP connection that tells the three phases of a call apart: connected, sent, answered.

Whether an order may exist depends on whether a byte of it left, which pooled clients do not tell.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.wait import wait_for_read

from apps.engine.ports.account import BrokerUnavailable, BrokerUnknown
from apps.exchange.transport import USER_AGENT

CONNECT_S = 1.0
READ_S = 3.0
IDLE_S = 3.0
"""A connection that rested longer is not used again: its other end may be about to close it."""


class OrderConnection:
    """For one thread."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        host, port = parts.hostname or "", parts.port
        self._http: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
            self._http = http.client.HTTPSConnection(host, port, timeout=CONNECT_S, context=context)
        else:
            self._http = http.client.HTTPConnection(host, port, timeout=CONNECT_S)
        self._used_at = 0.0

    @property
    def is_fresh(self) -> bool:
        """Whether it is open, was used a moment ago and has nothing to read, which would be its end."""
        if self._http.sock is None or time.monotonic() - self._used_at > IDLE_S:
            return False
        return not wait_for_read(self._http.sock, timeout=0)

    def connect(self) -> None:
        """Have a connection that is ready to send. BrokerUnavailable: nothing was sent."""
        if self.is_fresh:
            return
        self._http.close()
        try:
            self._http.connect()
        except (OSError, http.client.HTTPException) as fault:
            self._http.close()
            raise BrokerUnavailable(f"no connection: {type(fault).__name__}: {fault}") from fault
        self._http.sock.settimeout(READ_S)
        self._used_at = time.monotonic()

    def post(
        self, path: str, body: str, headers: Mapping[str, str]
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Send, and return the answer's status, headers and body.

        BrokerUnknown when none came: some bytes may have left.
        """
        try:
            self._http.request("POST", path, body.encode(), {"User-Agent": USER_AGENT, **headers})
            response = self._http.getresponse()
            answer = response.status, response.headers, response.read()
        except (OSError, http.client.HTTPException) as fault:
            self._http.close()
            raise BrokerUnknown(f"{path}: no answer: {type(fault).__name__}: {fault}") from fault
        self._used_at = time.monotonic()
        return answer

    def close(self) -> None:
        self._http.close()
