"""The output of a command that must end well; one that does not says why in the proof that ran it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from launch.paths import REPOSITORY


def output_of(command: Sequence[str], env: Mapping[str, str]) -> str:
    """Run it in the repository to its end. Raises AssertionError with what it wrote unless it ends with 0."""
    ended = subprocess.run(command, env=env, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{command} ended with {ended.returncode}: {ended.stdout}{ended.stderr}"
    return ended.stdout
