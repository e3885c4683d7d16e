"""Puts pip into an environment whose Python came without ensurepip (Debian without python3-venv)."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

WHEEL = "pip-26.3-py3-none-any.whl"
SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
PYPI = "https://pypi.org/simple"
JSON_INDEX = "application/vnd.pypi.simple.v1+json"  # PEP 691


class PipNotFound(Exception):
    """pip's wheel could not be fetched, or is not the one we know."""


def install(venv: Path) -> None:
    """Fetch the pinned wheel from PIP_INDEX_URL or PyPI and install it. Raises PipNotFound."""
    index = (os.environ.get("PIP_INDEX_URL") or PYPI).rstrip("/")
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(folder) / WHEEL
        wheel.write_bytes(_fetch(f"{index}/pip/"))
        command = [
            str(venv / "bin" / "python"),
            f"{wheel}/pip",
            "install",
            "--quiet",
            "--no-index",
            str(wheel),
        ]
        done = subprocess.run(
            command,
            encoding="utf-8",
            errors="replace",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        raise PipNotFound(f"{WHEEL} did not install: {done.stdout.strip()}")


def _fetch(page: str) -> bytes:
    try:
        listing = json.loads(_get(page, accept=JSON_INDEX))
        found = [file["url"] for file in listing["files"] if file["filename"] == WHEEL]
        if not found:
            raise PipNotFound(f"{page} lists no {WHEEL}")
        content = _get(urljoin(page, found[0]), accept="*/*")
    except (OSError, ValueError, KeyError) as fault:
        raise PipNotFound(f"{page}: {fault}; or install python3-venv") from fault
    if (digest := hashlib.sha256(content).hexdigest()) != SHA256:
        raise PipNotFound(f"{WHEEL} has the SHA-256 {digest}, not {SHA256}")
    return content


def _get(url: str, *, accept: str) -> bytes:
    request = urllib.request.Request(url, headers={"Accept": accept})  # noqa: S310 (a package index, pinned by hash)
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 (likewise)
        content: bytes = response.read()
        return content
