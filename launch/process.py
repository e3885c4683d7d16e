"""One child process that dies with us: start it, stop it, wait for it, read and rotate its log."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from launch.die_with_parent import KEEP_USER

DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")
MOST_LOG_BYTES = 20 * 2**20


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
    thread only. `inside` is a prefix such as unshare that must come before die_with_parent. In a session of
    its own a child does not see the terminal's Ctrl-C; without one it shares our terminal, input included.
    """
    prefix = [sys.executable, "-I", "-S", str(DIE_WITH_PARENT)]
    prefix += [str(int(on_orphan)), str(os.getpid()), str(uid)]
    with ExitStack() as stack:
        output = None
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            output = stack.enter_context(log.open("ab"))
        return subprocess.Popen(
            [*inside, *prefix, *command],
            env=env,
            stdin=stdin if own_session else None,
            stdout=output,
            stderr=output,
            start_new_session=own_session,
        )


def stop(
    child: subprocess.Popen[bytes], *, by: signal.Signals = signal.SIGTERM, patience_s: float = 5.0
) -> int:
    """Ask the child to end, kill it when `patience_s` have passed; return its exit code."""
    if child.poll() is None:
        child.send_signal(by)
    try:
        return child.wait(patience_s)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def wait_until(condition: Callable[[], bool], *, patience_s: float, every_s: float = 0.02) -> bool:
    """Wait for `condition` to hold; False when `patience_s` have passed before."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True


def last_line(log: Path | None, *, since: int) -> str:
    """Return the last line written to a log after its first `since` bytes, at most 500 characters of it.

    Empty when none was. A log that is shorter was rotated meanwhile, and is read whole.
    """
    if log is None or not log.is_file():
        return ""
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(since if since <= size else 0, size - 64 * 2**10))
        lines = file.read().decode("utf-8", errors="replace").splitlines()
    return next((line.strip()[:500] for line in reversed(lines) if line.strip()), "")


def last_lines(log: Path | None, *, count: int = 8) -> str:
    """Return the end of a log, indented, for an error message."""
    if log is None or not log.is_file():
        return f"    ({log} was never written)"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
    return "\n".join(f"    {line}" for line in lines) or f"    ({log} is empty)"


def rotate_log(log: Path | None, most_bytes: int = MOST_LOG_BYTES) -> bool:
    """Empty a log past `most_bytes`, keeping its content as NAME.log.1; whether it was so long.

    Whoever writes it appends, and notices nothing; a line written between the copy and the cut is lost.
    """
    if log is None or not log.is_file() or log.stat().st_size <= most_bytes:
        return False
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    os.truncate(log, 0)
    return True
