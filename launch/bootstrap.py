"""`python -m launch.bootstrap runtime|dev`: makes .venv and installs a lock file into it, once.

Runs on whatever Python `run` finds, before anything is installed. Two at once wait for each other; an
interrupted one is noticed by the next and done again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

from launch import paths
from launch.paths import REPOSITORY
from launch.terminal import error, say, step

LOCKS = {"runtime": REPOSITORY / "requirements.lock", "dev": REPOSITORY / "requirements-dev.lock"}
INCLUDED_IN = {"runtime": ("runtime", "dev"), "dev": ("dev",)}
UV = "uv>=0.9,<1"
PIP_WHEEL = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
PYPI = "https://pypi.org/simple"
JSON_INDEX = "application/vnd.pypi.simple.v1+json"  # PEP 691


class InstallFailed(Exception):
    """The packages could not be installed; the message says by what and what to try."""


class PipNotFound(InstallFailed):
    """pip's wheel could not be fetched, or is not the one we know."""


def main(which: str) -> int:
    """Return 0 once the packages of `which` are there, 1 with a message, 130 when interrupted."""
    venv = REPOSITORY / ".venv"
    try:
        paths.check_folders()
        with (paths.data_folder() / "set-up.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("another ./run is installing; waiting for it")
                fcntl.flock(file, fcntl.LOCK_EX)
            if not is_installed(venv, which):
                install(venv, which)
    except KeyboardInterrupt:
        error("interrupted while installing; the next start does it again")
        return 130
    except (InstallFailed, paths.FolderRefused) as fault:
        error(fault)
        return 1
    return 0


def is_installed(venv: Path, which: str) -> bool:
    """Whether `venv` is whole and has the packages of `which`, or of a lock file that includes them."""
    if _unfinished(venv).exists() or not _has_python(venv):
        return False
    stamps = [(_stamp(venv, name), _fingerprint(name, venv)) for name in INCLUDED_IN[which]]
    return any(stamp.is_file() and stamp.read_bytes() == wanted.encode("ascii") for stamp, wanted in stamps)


def install(venv: Path, which: str) -> None:
    """Install the packages of `which` into `venv`, which is made where it is absent or was left half made."""
    if _unfinished(venv).exists() or not _has_python(venv):
        shutil.rmtree(venv, ignore_errors=True)
        with step(f"make .venv with Python {platform.python_version()}"):
            make_venv(venv)
    _unfinished(venv).touch()
    install_lock(venv, LOCKS[which])
    _stamp(venv, which).write_text(_fingerprint(which, venv), encoding="ascii")
    _unfinished(venv).unlink()


def make_venv(venv: Path) -> None:
    """Make a virtual environment with pip; where Python came without ensurepip, pip is fetched as a wheel."""
    venv.mkdir()
    _unfinished(venv).touch()
    base = str(getattr(sys, "_base_executable", "") or os.path.realpath(sys.executable))
    if _call([base, "-m", "venv", str(venv)]).returncode == 0:
        return
    bare = _call([base, "-m", "venv", "--without-pip", str(venv)])
    if bare.returncode != 0:
        raise InstallFailed(f"{base} cannot make a virtual environment:\n{bare.stdout}")
    try:
        install_pip(venv)
    except PipNotFound as fault:
        raise InstallFailed(
            f"{base} comes without ensurepip, and pip could not be fetched: {fault}"
        ) from None


def install_pip(venv: Path) -> None:
    """Fetch pip's pinned wheel from PIP_INDEX_URL or PyPI and install it with itself. Raises PipNotFound.

    For a Python that came without ensurepip (Debian without python3-venv).
    """
    page = (os.environ.get("PIP_INDEX_URL") or PYPI).rstrip("/") + "/pip/"
    try:
        files = json.loads(_get(page, accept=JSON_INDEX))["files"]
        urls = [file["url"] for file in files if file["filename"] == PIP_WHEEL]
        if not urls:
            raise PipNotFound(f"{page} lists no {PIP_WHEEL}")
        content = _get(urljoin(page, urls[0]), accept="*/*")
    except (OSError, ValueError, KeyError) as fault:
        raise PipNotFound(f"{page}: {fault}; or install python3-venv") from fault
    if (digest := hashlib.sha256(content).hexdigest()) != PIP_SHA256:
        raise PipNotFound(f"{PIP_WHEEL} has the SHA-256 {digest}, not {PIP_SHA256}")

    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(folder) / PIP_WHEEL
        wheel.write_bytes(content)
        python = str(venv / "bin" / "python")
        result = _call([python, f"{wheel}/pip", "install", "--quiet", "--no-index", str(wheel)])
    if result.returncode != 0:
        raise PipNotFound(f"{PIP_WHEEL} did not install: {result.stdout.strip()}")


def install_lock(venv: Path, lock: Path) -> None:
    """Install a lock file with uv when PyPI has uv for this machine, else with pip. Raises InstallFailed."""
    python = str(venv / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    with step("fetch uv"):
        has_uv = _call([*pip, UV]).returncode == 0
    if has_uv:
        uv = [str(venv / "bin" / "uv"), "pip", "install", "--quiet", "--python", python, "-r", str(lock)]
        with step(f"install {lock.name} with uv"):
            result = _call(uv)
        if result.returncode == 0:
            return
        say(f"  uv could not, so pip: {result.stdout.strip()}")
    with step(f"install {lock.name} with pip"):
        result = _call([*pip, "-r", str(lock)])
    if result.returncode != 0:
        raise InstallFailed(
            f"pip could not install {lock.name} (the first start needs the network):\n{result.stdout.strip()}"
        )


def _call(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={**os.environ, "UV_SYSTEM_CERTS": "1"},
        encoding="utf-8",
        errors="replace",  # they may print the name of any file
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


def _get(url: str, *, accept: str) -> bytes:
    request = urllib.request.Request(url, headers={"Accept": accept})  # noqa: S310 (a package index, pinned by hash)
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 (likewise)
        content: bytes = response.read()
        return content


def _has_python(venv: Path) -> bool:
    return (venv / "bin" / "python").exists() and (venv / "pyvenv.cfg").is_file()


def _fingerprint(which: str, venv: Path) -> str:
    """Of the lock file and of the interpreter the environment was made from."""
    parts = LOCKS[which].read_bytes() + (venv / "pyvenv.cfg").read_bytes()
    return hashlib.sha256(parts).hexdigest()


def _stamp(venv: Path, which: str) -> Path:
    return venv / f"installed-{which}"


def _unfinished(venv: Path) -> Path:
    """Stands while .venv is being made or filled: a killed set-up is seen by it."""
    return venv / "unfinished"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
