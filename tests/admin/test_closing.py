"""An operator closes from the list of positions, after being asked once more; nobody else sees how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.audit.models import OperatorAction
from apps.engine import events
from apps.engine.values.position import PositionStatus
from apps.orders.models import CloseRequest, Position
from tests.rooms.fill_trading import ledger
from tests.rooms.trades import at, plan, position

pytestmark = pytest.mark.django_db
People = Callable[[str], Client]
POSITIONS = reverse("admin:orders_position_changelist")


def hold(symbol: str = "BTCUSDT", **changes: Any) -> Position:
    held = position(plan(symbol), **changes)
    ledger().record([events.PositionOpened(symbol=symbol, at=at(3), position=held)])
    return Position.objects.get(symbol=symbol)


def choose(client: Client, *positions: Position, **answers: str) -> Any:
    chosen = {"action": "close_at_market", "_selected_action": [row.pk for row in positions]}
    return client.post(POSITIONS, chosen | answers, follow=True)


def test_choosing_asks_why_and_changes_nothing_yet(person: People) -> None:
    page = choose(person("operator"), hold()).content.decode()
    assert "Close 1 position at market" in page
    assert "Close also what we did not open" not in page
    assert not CloseRequest.objects.exists()


def test_the_answer_asks_the_watch_with_name_and_reason(person: People) -> None:
    client = person("operator")
    done = choose(client, hold(), hold("ETHUSDT"), reason="news")
    assert "BTCUSDT long is being closed" in done.content.decode()
    rows = CloseRequest.objects.values_list("symbol", "asked_by", "reason", "foreign")
    assert set(rows) == {(symbol, "operator", "news", False) for symbol in ("BTCUSDT", "ETHUSDT")}
    assert OperatorAction.objects.filter(actor="operator", action="close_position").count() == 2
    listed = client.get(reverse("admin:orders_closerequest_changelist")).content.decode()
    assert "going on" in listed


def test_an_empty_reason_asks_again(person: People) -> None:
    assert "This field is required" in choose(person("operator"), hold(), reason=" ").content.decode()
    assert not CloseRequest.objects.exists()


def test_what_was_opened_by_hand_needs_a_tick_of_its_own(person: People) -> None:
    client, held = person("operator"), hold(decision_key="", status=PositionStatus.FOREIGN)
    assert "Close also what we did not open" in choose(client, held).content.decode()
    assert "was not opened by us" in choose(client, held, reason="news").content.decode()
    assert not CloseRequest.objects.exists()
    choose(client, held, reason="news", foreign="on")
    assert CloseRequest.objects.get().foreign


def test_what_is_closed_already_is_not_asked_for(person: People, rows: None) -> None:
    closed = Position.objects.get()
    asked = CloseRequest.objects.count()
    assert "is closed already" in choose(person("operator"), closed, reason="news").content.decode()
    assert CloseRequest.objects.count() == asked


def test_a_viewer_can_close_nothing(person: People) -> None:
    client, held = person("viewer"), hold()
    assert "Close at market" not in client.get(POSITIONS).content.decode()
    choose(client, held, reason="news")
    assert not CloseRequest.objects.exists()
