"""`./run test [--all] [pytest arguments]`: every check, one after the other, then one summary."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from launch import ephemeral, program
from launch.paths import REPOSITORY
from launch.postgres import PostgresFailed
from launch.postgres_user import PostgresMissing
from launch.terminal import error, say
from launch.valkey import ValkeyFailed

ENGINE_FLOOR_PCT = 95
REST_FLOOR_PCT = 85
PLAIN_WORKERS = "3"
"""For two cores: much of a test's time it waits for a server, a socket or a second to pass. With four the
systems that tests start are late to answer."""
ALL_WORKERS = "2"
"""One plays the long proofs, each of which runs a whole system and measures times, the other the rest."""
CHROMIUM = "/usr/bin/chromium"
LINT_IMPORTS = "from importlinter.cli import lint_imports_command as lint; lint()"


@dataclass(frozen=True)
class Check:
    name: str
    command: Sequence[str]


def main(arguments: Sequence[str]) -> int:
    """Return 0 when every check passed, else 1; all of them run. 130 when interrupted."""
    everything = "--all" in arguments
    rest = [argument for argument in arguments if argument != "--all"]
    results: list[tuple[str, bool, float]] = []
    try:
        if everything:
            install_chromium()
        with ephemeral.servers(durable=False) as variables:
            env = {**os.environ, **variables, "DJANGO_SETTINGS_MODULE": "tradingv3.settings"}
            if everything:
                env["EVERY_EXAMPLE"] = "yes"  # see tests/examples.py
            for check in checks(everything=everything, rest=rest):
                say(f"── {check.name}")
                began = time.monotonic()
                code = subprocess.run(check.command, cwd=REPOSITORY, env=env, check=False).returncode
                results.append((check.name, code == 0, time.monotonic() - began))
    except KeyboardInterrupt:
        return 130
    except (PostgresFailed, PostgresMissing, ValkeyFailed) as fault:
        error(fault)
        return 1

    say("\n── summary")
    for name, passed, seconds in results:
        say(f"  {'passed' if passed else 'FAILED'}  {name:<32}{seconds:7.1f} s")
    failed = [name for name, passed, _ in results if not passed]
    say(f"\nFAILED: {', '.join(failed)}" if failed else "\nall passed")
    return 1 if failed else 0


def checks(*, everything: bool, rest: Sequence[str]) -> list[Check]:
    """Return the checks in their order; `rest` are pytest's arguments."""
    python = sys.executable
    static = [
        Check("ruff format", [python, "-m", "ruff", "format", "--check", "--quiet", "."]),
        Check("ruff check", [python, "-m", "ruff", "check", "--quiet", "."]),
        Check("dead code", [python, "-m", "vulture"]),
        Check("mypy", [python, "-m", "mypy"]),
        # Not bin/lint-imports: its first line cannot name a Python in a folder with quotes.
        Check("import contracts", [python, "-c", LINT_IMPORTS]),
        Check("migrations", [*program.MANAGE, "makemigrations", "--check", "--dry-run"]),
    ]
    workers = ALL_WORKERS if everything else PLAIN_WORKERS
    pytest = [python, "-m", "pytest", "-q", "-n", workers, "--dist", "worksteal"]
    if not everything:
        return [*static, Check("pytest, without the slow", [*pytest, "-m", "not slow", *rest])]
    coverage = [python, "-m", "coverage", "report", "--format=total"]
    return [
        *static,
        # Without it the browser proofs skip themselves, which must not pass for everything.
        Check("chromium for the browser proofs", ["test", "-x", CHROMIUM]),
        Check("pytest, everything", [*pytest, "--cov", "--cov-report=", *rest]),
        Check(
            f"engine coverage ≥ {ENGINE_FLOOR_PCT} %",
            [*coverage, "--include=apps/engine/*", f"--fail-under={ENGINE_FLOOR_PCT}"],
        ),
        Check(
            f"coverage of the rest ≥ {REST_FLOOR_PCT} %",
            [*coverage, "--omit=apps/engine/*,*/migrations/*", f"--fail-under={REST_FLOOR_PCT}"],
        ),
    ]


def install_chromium() -> None:
    """Install Debian's chromium, which the browser proofs drive, where it is missing and we are root."""
    if os.access(CHROMIUM, os.X_OK):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        say(f"{CHROMIUM} is missing and cannot be installed here (that takes root and apt-get): install it")
        return
    for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-q", "-y", "chromium"]):
        say(f"── {' '.join(command)}")
        subprocess.run(command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
