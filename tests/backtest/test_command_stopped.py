"""Ctrl-C in the middle of a run, from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAR_CTRL_C = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
"""Tests started in a shell's background inherit an ignored SIGINT; a person's terminal does not."""


@pytest.mark.slow
def test_ctrl_c_ends_it_cleanly_and_writes_nothing(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    command = [sys.executable, "-c", HEAR_CTRL_C, "manage.py", "backtest", "--profile", "scalper"]
    process = subprocess.Popen(
        [*command, "--html", str(report)],
        cwd=ROOT,
        env=os.environ,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("profile scalper ")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith("CommandError: stopped; nothing was written\n")
    assert "Traceback" not in err
    assert out == ""
    assert list(tmp_path.iterdir()) == []
