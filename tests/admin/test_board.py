"""Where each symbol stands: one line each, what every profile said last."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.audit import store as audit
from apps.insight.system_status import board
from apps.signals import store as signals
from tests.rooms.builders import audit_row, outcome

pytestmark = pytest.mark.django_db

PROFILES = ["scalper_micro", "regular"]
NEUTRAL = "pragmatic_context_all_neutral"


def judged(symbol: str, until: datetime) -> None:
    signals.save_outcomes([outcome(symbol=symbol, expires_at=until)])


def test_the_ready_come_first_each_with_what_every_profile_said_last() -> None:
    now = timezone.now()
    for symbol in ("ADAUSDT", "BTCUSDT"):
        judged(symbol, now + timedelta(minutes=1))
    hour_ago = now - timedelta(hours=1)
    audit.save_rows(
        [
            audit_row(symbol="ADAUSDT", profile="regular", cause=NEUTRAL, created_at=hour_ago),
            audit_row(symbol="BTCUSDT", profile="regular", cause=NEUTRAL, created_at=hour_ago),
            audit_row(symbol="BTCUSDT", profile="regular", cause="READY", created_at=now),
        ]
    )
    rows = board(PROFILES, now)
    assert [(row.symbol, row.is_ready) for row in rows] == [("BTCUSDT", True), ("ADAUSDT", False)]
    of_scalper, of_regular = rows[0].causes
    assert of_scalper is None
    assert of_regular is not None
    assert (of_regular.cause, of_regular.side, of_regular.timeframe) == ("READY", "long", "5m")
    assert [cause and (cause.cause, cause.created_at) for cause in rows[1].causes] == [
        None,
        (NEUTRAL, hour_ago),
    ]


def test_a_symbol_nobody_judges_any_more_is_left_out() -> None:
    now = timezone.now()
    judged("ADAUSDT", now - timedelta(minutes=3))
    judged("BTCUSDT", now - timedelta(seconds=30))
    assert [row.symbol for row in board(PROFILES, now)] == ["BTCUSDT"]


def test_the_overview_shows_a_refusal_by_a_switch_and_since_when(root: Client) -> None:
    now = timezone.now()
    judged("BTCUSDT", now + timedelta(minutes=1))
    audit.save_rows([audit_row(profile="regular", cause="kill_switch_global", created_at=now)])
    page = root.get(reverse("admin:index")).content.decode()
    table = page[page.index('id="board"') :]
    assert "kill_switch_global" in table
    assert f"since {now:%H:%M}" in table
