"""What happens to a trade is written down, as text that JSON can hold, and refusals by the zone twice."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.audit import trade_events
from apps.audit.models import TradeLifecycleEvent, TradeZoneEvent
from apps.engine import events
from apps.engine.values.order import OrderStatus, ProtectionKind
from apps.engine.values.reason import Reason
from tests.rooms.builders import RUN
from tests.rooms.trades import ACCOUNT, NOW, at, fill, order, plan, position

pytestmark = pytest.mark.django_db

BTC = "BTCUSDT"
D = Decimal
PLAN = plan()
ORDER = {"symbol": BTC, "at": NOW, "order": order(PLAN)}
POSITION = {"symbol": BTC, "at": NOW, "position": position(PLAN)}
ZONE = events.ZoneSkipped(
    symbol=BTC,
    at=NOW,
    profile="regular",
    side=PLAN.side,
    timeframe=PLAN.timeframe,
    decision_key=PLAN.decision_key,
    reason=Reason.ZONE_FAR_FROM_MARKET,
    zone=PLAN.zone,
    candidate=D(104),
    deviation_pct=D("3.4"),
    limit_pct=D("1.5"),
    spread_bps=D("2.001"),
    volume_ratio=D("0.9"),
    category=events.ZoneCategory.FAR_OUTSIDE,
)
REFUSED = events.PlanRefused(
    symbol=BTC,
    at=NOW,
    profile="regular",
    side=None,
    timeframe=None,
    decision_key="",
    reason=Reason.SPREAD_TOO_WIDE,
    numbers={"spread_bps": D("9.5"), "at": NOW, "nan": float("nan"), "of": ("5m", PLAN.timeframe), "n": 1},
)
SPECIAL = {
    events.PlanMade: events.PlanMade(symbol=BTC, at=NOW, plan=PLAN),
    events.PlanClaimed: events.PlanClaimed(symbol=BTC, at=NOW, plan=PLAN, status=OrderStatus.SUBMITTING),
    events.PlanRefused: REFUSED,
    events.ZoneSkipped: ZONE,
    events.OrderDenied: events.OrderDenied(**ORDER, reason=Reason.RATE_LIMITED),
    events.FallbackRefused: events.FallbackRefused(**ORDER, reason=Reason.SENT_TOO_LATE),
    events.FillSeen: events.FillSeen(symbol=BTC, at=NOW, fill=fill(PLAN, "t1")),
    events.FillLate: events.FillLate(symbol=BTC, at=NOW, fill=fill(PLAN, "t1")),
    events.ProtectionAsked: events.ProtectionAsked(
        **POSITION, kind=ProtectionKind.STOP, trigger_price=D(99), client_order_id="tv3s1"
    ),
    events.CallFailed: events.CallFailed(symbol=BTC, at=NOW, call="cancel", detail="timeout"),
    events.CooldownSet: events.CooldownSet(
        symbol=BTC, at=NOW, decision_key=PLAN.decision_key, until=at(900), because="unfilled"
    ),
    events.CloseRequestDone: events.CloseRequestDone(symbol=BTC, at=NOW, side=PLAN.side, detail="flat"),
    events.SymbolReleased: events.SymbolReleased(symbol=BTC, at=NOW, decision_key=PLAN.decision_key),
}


def every_kind() -> list[type[events.Event]]:
    """Every event the engine can tell, so that a new one without a place fails here."""
    kinds = [
        kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.Event)
    ]
    return [kind for kind in kinds if hasattr(kind, "name")]


def made(kind: type[events.Event]) -> events.Event:
    if kind in SPECIAL:
        return SPECIAL[kind]
    return kind(**(ORDER if issubclass(kind, events.OrderEvent) else POSITION))


@pytest.mark.parametrize("kind", every_kind(), ids=lambda kind: kind.name)
def test_every_event_becomes_one_row(kind: type[events.Event]) -> None:
    trade_events.save_events(ACCOUNT, [made(kind)], RUN)
    row = TradeLifecycleEvent.objects.get()
    assert (row.event_type, row.symbol, row.happened_at) == (kind.name, BTC, NOW)
    assert (row.account, row.run_id) == (ACCOUNT, RUN)


def test_a_decisions_events_are_found_by_its_key_in_their_order() -> None:
    steps = [made(events.PlanClaimed), made(events.OrderSubmitted), made(events.PositionOpened)]
    trade_events.save_events(ACCOUNT, steps, None)
    rows = TradeLifecycleEvent.objects.filter(decision_key=PLAN.decision_key).order_by("id")
    assert [row.event_type for row in rows] == ["plan_claimed", "order_submitted", "position_opened"]
    assert {row.profile for row in rows} == {"regular"}


def test_the_numbers_of_a_refusal_stay_exact_and_readable() -> None:
    trade_events.save_events(ACCOUNT, [REFUSED], None)
    row = TradeLifecycleEvent.objects.get()
    assert row.reason_code == "spread_too_wide"
    assert row.extra == {
        "spread_bps": "9.5",
        "at": "2026-11-02T09:00:05+00:00",
        "nan": "nan",
        "of": ["5m", "15m"],
        "n": 1,
    }


def test_a_refusal_by_the_zone_keeps_everything_it_was_judged_by() -> None:
    trade_events.save_events(ACCOUNT, [ZONE, REFUSED], RUN)
    row = TradeZoneEvent.objects.get()
    assert (row.zone_low, row.zone_high, row.anchor, row.atr) == (D("99.5"), D("100.5"), 100, D("0.4"))
    assert (row.candidate, row.deviation_pct, row.limit_pct) == (104, D("3.4"), D("1.5"))
    assert (row.category, row.reason_code) == ("far_outside", "zone_far_from_market")
    assert (row.spread_bps, row.volume_ratio) == (D("2.001"), D("0.9"))
