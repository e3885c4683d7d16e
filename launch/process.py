"""Start and end one child process that dies with us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from launch.leash import KEEP_USER

LEASH = Path(__file__).with_name("leash.py")


def start(
    command: Sequence[str],
    *,
    log: Path | None = None,
    on_orphan: signal.Signals = signal.SIGTERM,
    env: Mapping[str, str] | None = None,
    uid: int = KEEP_USER,
    inside: Sequence[str] = (),
    stdin: int = subprocess.DEVNULL,
    own_session: bool = True,
) -> subprocess.Popen[bytes]:
    """Start `command`, output appended to `log` (None: our own terminal).

    `on_orphan` is what the child gets when our main thread ends, however that happens; call from the main
    thread only. `inside` is a prefix such as unshare that must come before the leash. In its own session a
    child does not see the terminal's Ctrl-C; without one it shares our terminal, input included.
    """
    leash = [sys.executable, "-I", "-S", str(LEASH), str(int(on_orphan)), str(os.getpid()), str(uid)]
    with _sink(log) as output:
        return subprocess.Popen(
            [*inside, *leash, *command],
            env=env,
            stdin=stdin if own_session else None,
            stdout=output,
            stderr=output,
            start_new_session=own_session,
        )


@contextmanager
def _sink(log: Path | None) -> Iterator[IO[bytes] | None]:
    if log is None:
        yield None
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        yield file


def end(
    child: subprocess.Popen[bytes], *, by: signal.Signals = signal.SIGTERM, patience_s: float = 5.0
) -> int:
    """Ask the child to end, kill it when `patience_s` have passed; its exit code."""
    if child.poll() is None:
        child.send_signal(by)
    try:
        return child.wait(patience_s)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def last_line(log: Path | None, *, since: int) -> str:
    """The last line that was written to a log after its first `since` bytes, at most 500 characters of it.

    Empty when none was. A log that is shorter was turned over meanwhile, and is read whole.
    """
    if log is None or not log.is_file():
        return ""
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(since if since <= size else 0, size - 64 * 2**10))
        lines = file.read().decode("utf-8", errors="replace").splitlines()
    return next((line.strip()[:500] for line in reversed(lines) if line.strip()), "")


def last_lines(log: Path | None, *, count: int = 8) -> str:
    """The end of a log, indented, for an error message."""
    if log is None or not log.is_file():
        return f"    ({log} was never written)"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
    return "\n".join(f"    {line}" for line in lines) or f"    ({log} is empty)"
