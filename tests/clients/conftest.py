"""Each client runs as a program of its own against an exchange of its own, and prints what it saw as JSON."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.state import State
from apps.exchange.simulator.server import running
from tests.clients import environment

DRIVERS = Path(__file__).parent / "drivers"
DRIVE_S = 180

Drive = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="session")
def drive() -> Drive:
    """Run a driver against a fresh exchange with its limits on: what it printed, and the books it left."""
    python = environment.python()
    archive = Archive.open(State(datetime.now(UTC).date()), symbols=3)

    def run(driver: str) -> dict[str, Any]:
        with running(archive) as address:
            done = subprocess.run(
                [python, DRIVERS / driver, address],
                capture_output=True,
                text=True,
                timeout=DRIVE_S,
                check=False,
            )
            books = requests.get(address + "/admin/books", timeout=30).json()
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1]) | {"books": books}

    return run
