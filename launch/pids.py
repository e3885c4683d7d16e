"""Pid files: what an earlier supervisor left running is ended before anything is started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from launch import ports

PATIENCE_S = 5.0


def note(folder: Path, name: str, pid: int) -> None:
    """Remember that `name` runs as `pid`."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"{pid} {_born(pid)}\n", encoding="ascii")


def forget(folder: Path, name: str) -> None:
    (folder / name).unlink(missing_ok=True)


def end_leftovers(folder: Path) -> list[str]:
    """End every noted process that still runs, asked first, killed after PATIENCE_S; their names."""
    running = {file.name: pid for file in sorted(folder.glob("*")) if (pid := _running(file))}
    for pid in running.values():
        _send(pid, signal.SIGTERM)
    left = list(running.values())
    if not ports.wait_until(lambda: not any(_alive(pid) for pid in left), patience_s=PATIENCE_S):
        for pid in left:
            _send(pid, signal.SIGKILL)
        ports.wait_until(lambda: not any(_alive(pid) for pid in left), patience_s=PATIENCE_S)
    for file in folder.glob("*"):
        file.unlink(missing_ok=True)
    return list(running)


def _running(file: Path) -> int:
    """The pid in `file` when that very process still runs, else 0: a number may have been given out again."""
    pid, _, born = file.read_text(encoding="ascii", errors="replace").strip().partition(" ")
    return int(pid) if pid.isdigit() and born and _born(int(pid)) == born else 0


def _born(pid: int) -> str:
    """When a process started, in the system's words; "" when there is none, or it only waits to be reaped."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
            fields = stat.rpartition(")")[2].split()  # before it: a name, cut after 15 bytes
            return "" if fields[0] in "ZX" else fields[19]  # proc(5): state, and starttime in clock ticks
        return ""
    listing = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)],
        env={"PATH": os.defpath, "LC_ALL": "C"},  # English months
        capture_output=True,
        text=True,
        check=False,
    )
    return listing.stdout.strip()


def _alive(pid: int) -> bool:
    return bool(_born(pid))


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
