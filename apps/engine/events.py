"""What happened, handed to the ledger: the audit is nothing else.

An OrderEvent's `order` and a PositionEvent's `position` are that row as it is from now on: a ledger stores
row and event together. Where an order's row changed meanwhile, the ledger stores
`follow.orders.merged_order(row, order)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from apps.engine.values.book import TrackedOrder, TrackedPosition
from apps.engine.values.order import Fill, OrderStatus, ProtectionKind
from apps.engine.values.plan import OrderPlan, Zone
from apps.engine.values.position import Side
from apps.engine.values.reason import Reason
from apps.engine.values.timeframe import Timeframe


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`at` is our clock, `name` what operators search for."""

    name: ClassVar[str]
    symbol: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMade(Event):
    name = "plan_made"
    plan: OrderPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanClaimed(Event):
    """`status` is SUBMITTING, or PENDING_REVIEW when a person must approve first."""

    name = "plan_claimed"
    plan: OrderPlan
    status: OrderStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRefused(Event):
    """No trade, because of `reason`; `numbers` is what was looked at.

    `approved`: it was refused to a plan that a person had approved, which ends with it. The same decision
    judged again a minute later is refused for itself alone.
    """

    name = "plan_refused"
    profile: str
    side: Side | None
    timeframe: Timeframe | None
    decision_key: str
    reason: Reason
    numbers: Mapping[str, Any]
    approved: bool = False


class ZoneCategory(StrEnum):
    """How far beyond the limit: up to 1.05 ×, up to 1.5 ×, more."""

    CLOSE_TO_THRESHOLD = "close_to_threshold"
    MODERATE_GAP = "moderate_gap"
    FAR_OUTSIDE = "far_outside"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneSkipped(Event):
    """Not where an entry is worth it; `deviation_pct` is the `candidate` price's from the nearest edge."""

    name = "zone_skipped"
    profile: str
    side: Side
    timeframe: Timeframe
    decision_key: str
    reason: Reason
    zone: Zone
    candidate: Decimal
    deviation_pct: Decimal
    limit_pct: Decimal
    spread_bps: Decimal
    volume_ratio: Decimal | None
    category: ZoneCategory


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent(Event):
    """`order` is its row from now on; `detail` is for people."""

    order: TrackedOrder
    detail: str = ""


class OrderSubmitted(OrderEvent):
    """It is about to leave: SUBMITTING under a new attempt's id."""

    name = "order_submitted"


class OrderAcknowledged(OrderEvent):
    """The exchange took it; resting or filled is seen later."""

    name = "order_acknowledged"


class OrderRejected(OrderEvent):
    name = "order_rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDenied(OrderEvent):
    """Refused by us after the claim, before any byte of it left."""

    name = "order_denied"
    reason: Reason


class OrderUnknown(OrderEvent):
    """No answer, or none that can be understood: it may exist."""

    name = "order_unknown"


class OrderLookedUp(OrderEvent):
    """A look-up by client id is finished and did not show it."""

    name = "order_looked_up"


class OrderNeverArrived(OrderEvent):
    name = "order_never_arrived"


class OrderLost(OrderEvent):
    """Acknowledged once, and now nowhere at the exchange."""

    name = "order_lost"


class OrderAdopted(OrderEvent):
    """Ours by its id, at the exchange, and not in our books."""

    name = "order_adopted"


class OrderResting(OrderEvent):
    """Read back from the exchange, unfilled."""

    name = "order_resting"


class OrderFilled(OrderEvent):
    """More of it is filled than before: in part or whole, by the order's status."""

    name = "order_filled"


class OrderCancelAsked(OrderEvent):
    name = "order_cancel_asked"


class OrderCancelled(OrderEvent):
    name = "order_cancelled"


class OrderExpired(OrderEvent):
    """Over because its time was."""

    name = "order_expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackRefused(OrderEvent):
    """What it left unfilled is not taken from the book after all; `detail` says by which numbers."""

    name = "fallback_refused"
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class FillSeen(Event):
    name = "fill"
    fill: Fill


class FillLate(FillSeen):
    """A fill of an order that was over in our books."""

    name = "fill_late"


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionEvent(Event):
    """`position` is its row from now on; `detail` is for people."""

    position: TrackedPosition
    detail: str = ""


class PositionOpened(PositionEvent):
    name = "position_opened"


class PositionChanged(PositionEvent):
    """Its size or average entry price is another."""

    name = "position_changed"


class PositionForeign(PositionEvent):
    """Not opened by us: reported, and its symbol is blocked."""

    name = "position_foreign"


class PositionNaked(PositionEvent):
    """No stop read back covers it; from `naked_since` on the seconds count."""

    name = "naked"


class PositionProtected(PositionEvent):
    """A stop for the whole of it, at the plan's price or tighter, was read back."""

    name = "protected"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionAsked(PositionEvent):
    name = "protection_asked"
    kind: ProtectionKind
    trigger_price: Decimal
    client_order_id: str
    size: Decimal | None = None


class EmergencyClose(PositionEvent):
    """It stayed naked for too long and is closed at market."""

    name = "emergency_close"


class StopMoved(PositionEvent):
    """A tighter stop for the whole of it was read back: it is the one in force, looser ones may go."""

    name = "stop_moved"


class StopKept(PositionEvent):
    """Its stop was reckoned anew and stays where it is; `detail` says why."""

    name = "stop_kept"


class TimeStop(PositionEvent):
    """It was held for as long as its profile allows, and is closed at market."""

    name = "time_stop"


class CloseAsked(PositionEvent):
    """It is sent a close at market, for the `close_reason` it has."""

    name = "close_asked"


class RequestedClose(PositionEvent):
    """A person asked for it (`detail`: who, and why): it is closed at market."""

    name = "requested_close"


class CloseFailing(PositionEvent):
    """Three closes were sent and it is still there: the GLOBAL switch goes off."""

    name = "close_failing"


class PositionFlatSeen(PositionEvent):
    """One read without it; a second one 2 s later, or closing fills that add up, make it closed."""

    name = "position_flat_seen"


class PositionClosed(PositionEvent):
    name = "position_closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRequestDone(Event):
    """What a person asked for on `side` is over; `detail` says how."""

    name = "close_request_done"
    side: Side
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFailed(Event):
    """A protective, cancelling or closing call did not succeed; the next sweep sends it again."""

    name = "call_failed"
    call: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CooldownSet(Event):
    """No new entry on the symbol until then; it replaces the symbol's automatic cooldown."""

    name = "cooldown_set"
    decision_key: str
    until: datetime
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolReleased(Event):
    """Flat, clean and nothing in doubt: the lock row goes."""

    name = "symbol_released"
    decision_key: str
