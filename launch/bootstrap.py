"""`python -m launch.bootstrap runtime|dev`: makes .venv and installs a lock file into it, once.

Runs on whatever Python `run` found, before anything is installed. Two at once wait for each other; an
interrupted one is noticed by the next and done again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from launch import pip_wheel, places
from launch.places import REPOSITORY, var
from launch.screen import error, say, step

LOCKS = {"runtime": REPOSITORY / "requirements.lock", "dev": REPOSITORY / "requirements-dev.lock"}
INCLUDED_IN = {"runtime": ("runtime", "dev"), "dev": ("dev",)}
UV = "uv>=0.9,<1"


class InstallFailed(Exception):
    """The packages could not be installed; the message says by what and what to try."""


def main(which: str) -> int:
    venv = REPOSITORY / ".venv"
    try:
        places.check()
        with (var() / "set-up.lock").open("w") as file:
            _lock(file.fileno())
            if not _is_installed(venv, which):
                _install(venv, which)
    except KeyboardInterrupt:
        error("interrupted while installing; the next start does it again")
        return 130
    except (InstallFailed, places.FolderRefused) as fault:
        error(fault)
        return 1
    return 0


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("another ./run is installing; waiting for it")
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _is_installed(venv: Path, which: str) -> bool:
    if _unfinished(venv).exists() or not _is_made(venv):
        return False
    stamps = [(_stamp(venv, name), _fingerprint(name, venv)) for name in INCLUDED_IN[which]]
    return any(stamp.is_file() and stamp.read_bytes() == wanted.encode("ascii") for stamp, wanted in stamps)


def _is_made(venv: Path) -> bool:
    return (venv / "bin" / "python").exists() and (venv / "pyvenv.cfg").is_file()


def _install(venv: Path, which: str) -> None:
    if _unfinished(venv).exists() or not _is_made(venv):
        shutil.rmtree(venv, ignore_errors=True)
        with step(f"make .venv with Python {platform.python_version()}"):
            _make(venv)
    _unfinished(venv).touch()
    _install_lock(venv, LOCKS[which])
    _stamp(venv, which).write_text(_fingerprint(which, venv), encoding="ascii")
    _unfinished(venv).unlink()


def _make(venv: Path) -> None:
    """A virtual environment with pip; where Python came without ensurepip, pip is fetched as a wheel."""
    venv.mkdir()
    _unfinished(venv).touch()
    base = str(getattr(sys, "_base_executable", "") or os.path.realpath(sys.executable))
    plain = _call([base, "-m", "venv", str(venv)])
    if plain.returncode == 0:
        return
    bare = _call([base, "-m", "venv", "--without-pip", str(venv)])
    if bare.returncode != 0:
        raise InstallFailed(f"{base} cannot make a virtual environment:\n{bare.stdout}")
    try:
        pip_wheel.install(venv)
    except pip_wheel.PipNotFound as fault:
        raise InstallFailed(
            f"{base} comes without ensurepip, and pip could not be fetched: {fault}"
        ) from None


def _install_lock(venv: Path, lock: Path) -> None:
    """Install with uv when PyPI has it for this machine, else with pip. Raises InstallFailed."""
    python = str(venv / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    with step("fetch uv"):
        have_uv = _call([*pip, UV]).returncode == 0
    if have_uv:
        uv = [str(venv / "bin" / "uv"), "pip", "install", "--quiet", "--python", python, "-r", str(lock)]
        with step(f"install {lock.name} with uv"):
            done = _call(uv)
        if done.returncode == 0:
            return
        say(f"  uv could not, so pip: {done.stdout.strip()}")
    with step(f"install {lock.name} with pip"):
        done = _call([*pip, "-r", str(lock)])
    if done.returncode != 0:
        raise InstallFailed(
            f"pip could not install {lock.name} (the first start needs the network):\n{done.stdout.strip()}"
        )


def _call(command: list[str]) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "UV_SYSTEM_CERTS": "1"}
    return subprocess.run(
        command,
        env=env,
        encoding="utf-8",
        errors="replace",  # they may print the name of any file
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


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
