"""One of our own processes, as the supervisor sees it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from launch import process


class Program:
    """`command`, its output appended to `log` (None: our terminal)."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path | None,
        patience_s: float = 4.0,
    ) -> None:
        self.name = name
        self.log = log
        self._command = tuple(command)
        self._env = env
        self._patience_s = patience_s
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def exit_code(self) -> int | None:
        """What it ended with; None while it runs. Negative: the signal that killed it."""
        return self._child.poll() if self._child else None

    def start(self) -> None:
        self.stop()
        # Nobody waits for an orphan's tidy end, to which a worker without its broker may never come.
        self._child = process.start(self._command, log=self.log, env=self._env, on_orphan=signal.SIGKILL)

    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def ask(self) -> None:
        """Ask it to end, without waiting."""
        if self._child is not None and self.alive():
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Ask it to end, kill it when its patience is over."""
        if self._child is not None:
            process.end(self._child, patience_s=self._patience_s)
