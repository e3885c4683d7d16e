"""The way of a trade, line by line, as the terminal tells it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from rich.text import Text

from apps.audit.models import TradeLifecycleEvent
from apps.console.event_line import FIXED, REASONED, event_line
from apps.engine import events
from apps.orders.models import Position
from tests.rooms.fill_trading import fill_trading

NOW = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)


def event(name: str, **columns: object) -> TradeLifecycleEvent:
    return TradeLifecycleEvent(happened_at=NOW, symbol="BTCUSDT", side="long", event_type=name, **columns)


def said(of: TradeLifecycleEvent) -> str | None:
    line = event_line(of)
    return None if line is None else Text.from_markup(line).plain


@pytest.mark.django_db
def test_a_whole_trade_is_told_from_its_plan_to_what_it_earned() -> None:
    fill_trading(datetime.now(UTC))
    lines = [said(event) for event in TradeLifecycleEvent.objects.order_by("id")]
    texts = [line.partition(": ")[2] for line in lines if line is not None]
    assert texts == [
        "planned 1000 at 100, stop 99, target 102, risk 1.20 USDT, regular",
        "filled 1000 at 100",
        "closed: +1.87 USDT, +1.56 R",
    ]


@pytest.mark.django_db
def test_a_close_that_was_asked_for_is_told_with_its_author_whatever_was_typed() -> None:
    fill_trading(datetime.now(UTC))
    Position.objects.update(close_reason="ada: news [/red] [bold")
    closed = TradeLifecycleEvent.objects.get(event_type=events.PositionClosed.name)
    assert "closed by ada: news [/red] [bold: +1.87 USDT" in str(said(closed))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            event(events.OrderAcknowledged.name, quantity=Decimal("5.00"), price=Decimal("0.10"), extra={}),
            "submitted with stop and target, 5 at 0.1",
        ),
        (
            event(
                events.OrderFilled.name, quantity=Decimal(5), price=Decimal("0.10"), extra={"filled": "2.0"}
            ),
            "filled 2 of 5 at 0.1",
        ),
        (
            event(events.PositionProtected.name, extra={"stop": "0.090"}),
            "protected, stop 0.09 read back from the exchange",
        ),
        (event(events.OrderDenied.name, reason_code="rate_limited", extra={}), "not sent: rate_limited"),
        (
            event(events.FallbackRefused.name, reason_code="sent_too_late", extra={}),
            "its rest is not taken from the book: sent_too_late",
        ),
        (
            event(events.RequestedClose.name, extra={"detail": "ada: news [/]"}),
            "closed at market as asked: ada: news [/]",
        ),
        (event(events.OrderExpired.name, extra={}), "expired, its time was over"),
        (event(events.OrderExpired.name, extra={"tranche": "2/3"}), "tranche 2/3 expired, its time was over"),
        (
            event(events.OrderDenied.name, reason_code="earlier_tranche_failed", extra={"tranche": "3/3"}),
            "tranche 3/3 not sent: earlier_tranche_failed",
        ),
        (
            event(events.CallFailed.name, extra={"call": "Protect", "detail": "40027 [/]"}),
            "Protect failed: 40027 [/]",
        ),
    ],
)
def test_a_step_is_told_with_its_numbers_and_what_goes_wrong_with_its_reason(
    row: TradeLifecycleEvent, words: str
) -> None:
    assert said(row) == f"12:00:30 BTCUSDT long: {words}"


def test_small_steps_in_between_are_not_told() -> None:
    assert event_line(event(events.OrderSubmitted.name, extra={})) is None


def test_every_event_that_is_told_exists() -> None:
    assert set(FIXED | REASONED) <= {kind.name for kind in _kinds(events.Event)}


def _kinds(of: type[events.Event]) -> list[type[events.Event]]:
    kinds = of.__subclasses__()
    return [each for kind in kinds for each in ([kind] if "name" in vars(kind) else []) + _kinds(kind)]
