"""A real `./run demo` in a folder of its own: its terminal, its tables, its addresses, its processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from launch import ephemeral, secret_files
from launch.paths import REPOSITORY
from tests.system.output import output_of
from tests.system.tables import Tables
from tests.system.until import until

SYMBOLS = 6
UP_S = 90.0
END_S = 30.0


class Demo:
    """One started demo; the folder and the port stay the same for the next start."""

    def __init__(self, var: Path, port: int, *arguments: str) -> None:
        self.var = var
        self.url = f"http://127.0.0.1:{port}"
        self._output = var.parent / f"terminal-{time.monotonic_ns()}"
        command = [sys.executable, "-m", "launch.demo", "--port", str(port), "--symbols", str(SYMBOLS)]
        with self._output.open("wb") as sink:
            self.process = subprocess.Popen(
                [*command, *arguments], cwd=REPOSITORY, env=environment(var), stdout=sink, stderr=sink
            )

    @property
    def variables(self) -> dict[str, str]:
        """What leads to its servers."""
        return secret_files.read_env_file(self.var / secret_files.SERVERS_ENV)

    @property
    def tables(self) -> Tables:
        return Tables(self.variables["DATABASE_URL"])

    def text(self) -> str:
        return self._output.read_text("utf-8")

    def await_text(self, what: str, *, patience_s: float) -> None:
        def shown() -> bool:
            assert what in self.text() or self.process.poll() is None, self.text()
            return what in self.text()

        until(f"the terminal shows {what!r}", shown, patience_s=patience_s)

    def await_up(self) -> None:
        self.await_text("Ctrl-C ends all of it", patience_s=UP_S)

    def pid(self, name: str) -> int:
        """The noted pid of one process; 0 while there is none."""
        file = self.var / "pids" / name
        noted = file.read_text("ascii").split() if file.exists() else []
        return int(noted[0]) if noted else 0

    def kill(self, name: str) -> int:
        """kill -9 of one process; the pid it had."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def press_ctrl_c(self) -> int:
        """The exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(END_S)

    def manage(self, *arguments: str) -> str:
        """The output of `./run manage …` typed in another terminal, which must end well."""
        return output_of([sys.executable, "-m", "launch.manage", *arguments], environment(self.var))

    def get(self, path: str, *, token: str = "") -> tuple[int, Any]:
        """HTTP status and JSON body."""
        return self._ask(urllib.request.Request(self.url + path, headers=_login(token)))

    def post(self, path: str, body: Mapping[str, Any], *, token: str = "") -> tuple[int, Any]:
        headers = {"Content-Type": "application/json", **_login(token)}
        data = json.dumps(body).encode()
        return self._ask(urllib.request.Request(self.url + path, data=data, headers=headers))

    def _ask(self, request: urllib.request.Request) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, json.load(answer)


@contextmanager
def demo(var: Path, port: int, *arguments: str) -> Iterator[Demo]:
    """A demo that is ended with the block, whatever happened."""
    started = Demo(var, port, *arguments)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.terminate()
        started.process.wait(END_S)


def environment(var: Path) -> dict[str, str]:
    """Ours without any server named, so that the demo starts its own in `var`."""
    inherited = {name: value for name, value in os.environ.items() if name not in ephemeral.NAMES}
    return inherited | {"TRADINGV3_VAR": str(var)}


def belonging(var: Path) -> dict[int, str]:
    """Return command lines by pid of all living processes whose environment or arguments name `var`."""
    commands: dict[int, str] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            arguments = (folder / "cmdline").read_bytes()
            environment = (folder / "environ").read_bytes()
        except OSError:  # it ended while we looked, or belongs to somebody else
            continue
        named = str(var).encode()
        if named in arguments or f"TRADINGV3_VAR={var}".encode() in environment.split(b"\0"):
            commands[int(folder.name)] = arguments.replace(b"\0", b" ").decode(errors="replace").strip()
    return commands


def beats(var: Path) -> list[int]:
    """Return the pids of the beats of `var`."""
    return [pid for pid, command in belonging(var).items() if " beat " in f"{command} "]


def _login(token: str) -> dict[str, str]:
    return {"Authorization": f"Token {token}"} if token else {}
