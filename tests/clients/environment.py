"""The Python that has other people's clients: made once, in the user's cache folder, beside ours."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

WANTED = Path(__file__).resolve().parents[2] / "requirements-clients.txt"
INSTALL_S = 600


class ClientsMissing(Exception):
    """The clients could not be installed; the message has the installer's words."""


def python() -> Path:
    """The interpreter that imports them. Raises ClientsMissing; the next call tries again."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tradingv3"
    cache.mkdir(parents=True, exist_ok=True)
    home = cache / f"clients-{_fingerprint()}"
    with (cache / "clients.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not (home / "complete").exists():
            _make(home)
    return home / "bin" / "python"


def _fingerprint() -> str:
    """Of what is wanted and of the Python it is installed for."""
    return hashlib.sha256(WANTED.read_bytes() + sys.version.encode()).hexdigest()[:12]


def _make(home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    uv = Path(sys.executable).with_name("uv")
    venv.create(home, with_pip=not uv.exists())
    into = str(home / "bin" / "python")
    installer = (
        [str(uv), "pip", "install", "--python", into] if uv.exists() else [into, "-m", "pip", "install"]
    )
    done = subprocess.run(
        [*installer, "--quiet", "-r", str(WANTED)],
        env=os.environ | {"UV_SYSTEM_CERTS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=INSTALL_S,
        check=False,
    )
    if done.returncode != 0:
        raise ClientsMissing(f"cannot install {WANTED.name} (it needs the network):\n{done.stdout.strip()}")
    (home / "complete").touch()
