"""Somebody who asks the real web process, with a token."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.system.processes import Processes
from tests.system.until import until

PASSWORD = "of-a-test"
MAKE_READER = f"""
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token
user = User.objects.create_superuser("root", password="{PASSWORD}")
print(Token.objects.create(user=user).key)
"""
CONNECTIONS = "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'web'"


class Reader:
    """A person with a token who asks the web process."""

    def __init__(self, system: Processes) -> None:
        """Makes the user, and waits until the web process answers."""
        self.system = system
        until("the web process answers", lambda: _answers(system), patience_s=60)
        token = system.manage("shell", "--no-imports", "-c", MAKE_READER).split()[-1]
        self._headers = {"Authorization": f"Token {token}"}

    def get(self, path: str) -> requests.Response:
        return requests.get(self.system.web + path, headers=self._headers, timeout=60)

    def post(self, path: str, body: dict[str, Any]) -> requests.Response:
        return requests.post(self.system.web + path, json=body, headers=self._headers, timeout=60)

    def asking(self, path: str, *, window: int) -> socket.socket:
        """A request that was sent and whose answer nobody reads: the kernel keeps `window` bytes of it."""
        parts = urlsplit(self.system.web)
        sending = socket.socket()
        sending.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        sending.connect((parts.hostname, parts.port))
        head = {"Host": "127.0.0.1"} | self._headers
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        sending.sendall("\r\n".join(lines).encode("ascii"))
        return sending

    def connections(self) -> int:
        """How many of the database's the web process holds."""
        return int(self.system.tables.rows(CONNECTIONS)[0]["n"])


def _answers(system: Processes) -> bool:
    try:
        return requests.get(f"{system.web}/healthz", timeout=30).ok
    except requests.RequestException:
        return False
