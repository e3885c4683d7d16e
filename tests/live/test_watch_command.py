"""manage.py watch: one at a time, and what it knows in a terminal."""

from __future__ import annotations

import signal
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from apps.db import advisory_lock
from apps.db.advisory_lock import single_process
from apps.exchange import venue
from apps.live import watch_state


@pytest.mark.django_db
def test_the_status_says_what_the_watch_knows_and_whether_entries_may_go(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(CommandError, match="no watch has ever run"):
        call_command("watch", "--status")
    now = datetime.now(UTC)
    watch_state.save_columns(venue.account(), **watch_state.fresh_columns(now))
    call_command("watch", "--status")
    assert "are refused" in capsys.readouterr().out
    watch_state.save_columns(
        venue.account(), read_at=now, heard_at=now, reconciled_at=now, position_mode="hedge"
    )
    call_command("watch", "--status")
    shown = capsys.readouterr().out
    assert "may go" in shown
    assert "hedge" in shown


@pytest.mark.django_db
def test_a_second_watch_refuses_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advisory_lock, "WAIT_S", 0.1)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with single_process("watch"), pytest.raises(CommandError, match="another watch process"):
        call_command("watch")
