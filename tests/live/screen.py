"""What a command prints."""

from __future__ import annotations

import pytest
from django.core.management import call_command


def shown(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    capsys.readouterr()
    call_command(*command)
    return capsys.readouterr().out
