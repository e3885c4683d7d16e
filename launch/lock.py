"""`./run lock`: renews both lock files from their requirements, for Python 3.11 to 3.13 at once."""

from __future__ import annotations

import os
import subprocess
import sys

from launch.paths import REPOSITORY
from launch.terminal import error, say

LOWEST_PYTHON = "3.11"


def lock_requirements() -> int:
    """Write both lock files with the newest releases allowed; return 0, or the exit code of uv."""
    uv = REPOSITORY / ".venv" / "bin" / "uv"
    if not uv.is_file():
        error("uv could not be installed here, and only uv resolves for several Pythons at once")
        return 1
    for name in ("requirements", "requirements-dev"):
        say(f"{name}.txt → {name}.lock")
        command = [str(uv), "pip", "compile", "--universal", "--python-version", LOWEST_PYTHON, "--quiet"]
        command += ["--upgrade", "--no-annotate", "--no-header"]
        command += [f"{name}.txt", "--output-file", f"{name}.lock"]
        env = {**os.environ, "UV_SYSTEM_CERTS": "1"}
        code = subprocess.run(command, cwd=REPOSITORY, env=env, check=False).returncode
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(lock_requirements())
