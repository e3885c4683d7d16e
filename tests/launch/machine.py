"""This machine: folders PostgreSQL may use, and what the operating system says about processes."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from launch import process


@contextmanager
def passable_folder() -> Iterator[Path]:
    """A folder other users may pass through: pytest's own are private, and nobody could not enter."""
    folder = Path(tempfile.mkdtemp(prefix="launch-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def is_running(pid: int) -> bool:
    """Whether `pid` is a living process, not one that only waits to be reaped."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def are_gone(*pids: int, patience_s: float = 10.0) -> bool:
    """Whether all of them end within `patience_s`."""
    return process.wait_until(lambda: not any(is_running(pid) for pid in pids), patience_s=patience_s)


def command_lines() -> str:
    """Every process's arguments, as any user of this machine can read them."""
    return subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout


def children(parent: int) -> list[int]:
    """The processes `parent` started and that still run."""
    listing = subprocess.run(["ps", "axo", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in listing.stdout.splitlines()]
    return [pid for pid, of in pairs if of == parent and is_running(pid)]


def pid_files(folder: Path) -> dict[str, int]:
    """The pids a supervisor noted, by name; one that is being written this moment is not noted yet."""
    texts = {file.name: file.read_text("ascii").split() for file in folder.glob("*")}
    return {name: int(text[0]) for name, text in texts.items() if text}
