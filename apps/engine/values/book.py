"""Two books of one symbol: ours as stored, and the exchange's as just read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from apps.engine.values.order import Fill, OrderReport, OrderStatus, ProtectionReport, Role, client_order_id
from apps.engine.values.plan import OrderPlan
from apps.engine.values.position import PositionReport, PositionStatus, Side
from apps.engine.values.timeframe import Timeframe


@dataclass(frozen=True, slots=True)
class TrackedOrder:
    """An opening order of ours, from its claim on. Sizes in contracts.

    It was signed at `sent_at` at the earliest and `send_before` at the latest. `looked_up` counts finished
    look-ups by client id, `absent_reads` the complete reads without it once it can no longer arrive.
    An adopted order has an empty decision key and profile. A switch of any of `timeframes` covers it.
    """

    client_order_id: str
    decision_key: str
    profile: str
    symbol: str
    side: Side
    timeframes: tuple[Timeframe, ...]
    attempt: int
    status: OrderStatus
    price: Decimal
    size: Decimal
    stop: Decimal | None
    target: Decimal | None
    sent_at: datetime
    send_before: datetime
    expires_at: datetime
    exchange_order_id: str = ""
    filled: Decimal = Decimal(0)
    average_price: Decimal = Decimal(0)
    cancel_asked_at: datetime | None = None
    looked_up: int = 0
    absent_reads: int = 0

    @classmethod
    def of(cls, plan: OrderPlan, attempt: int = 0) -> TrackedOrder:
        """Return the order of one attempt of `plan`, about to be sent."""
        return cls(
            client_order_id=client_order_id(Role.ENTRY, plan.decision_key, attempt=attempt),
            decision_key=plan.decision_key,
            profile=plan.profile,
            symbol=plan.symbol,
            side=plan.side,
            timeframes=plan.timeframes,
            attempt=attempt,
            status=OrderStatus.SUBMITTING,
            price=plan.entry,
            size=plan.size,
            stop=plan.stop,
            target=plan.target,
            sent_at=plan.created_at,
            send_before=plan.send_before,
            expires_at=plan.expires_at,
        )


@dataclass(frozen=True, slots=True)
class TrackedPosition:
    """A position in our books; one alive for each symbol and side.

    `stop` and `target` are what it must be protected with (None: any stop on its side will do).
    `naked_since`: since when no stop was read back, None while protected. `stops_asked`, `targets_asked` and
    `closes_asked` number what was sent for it, `…_at` when last. `flat_since`: first read without it.
    """

    symbol: str
    side: Side
    decision_key: str
    status: PositionStatus
    size: Decimal
    entry_price: Decimal
    stop: Decimal | None
    target: Decimal | None
    opened_at: datetime
    naked_since: datetime | None = None
    stops_asked: int = 0
    stop_asked_at: datetime | None = None
    targets_asked: int = 0
    target_asked_at: datetime | None = None
    closes_asked: int = 0
    close_asked_at: datetime | None = None
    flat_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class SymbolBook:
    """Our book of one symbol.

    `changed_at`: our last own event on the symbol; a read sent before it is too old to believe. `orders`:
    opening orders that are not over, those of the lock's decision, and those that ended unfilled within the
    last day. `positions`: all that are not CLOSED. `trade_ids`: fills already stored.
    """

    symbol: str
    locked_by: str | None = None
    changed_at: datetime | None = None
    orders: tuple[TrackedOrder, ...] = ()
    positions: tuple[TrackedPosition, ...] = ()
    trade_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ExchangeBook:
    """The exchange's book of one symbol, complete.

    Read in this order, from `read_at` on: the open orders, look-ups, positions, protections, trades; so that
    what filled an order is in the positions.

    `looked_up`: client id → what a look-up gave, None where a complete read showed none.
    """

    symbol: str
    read_at: datetime
    orders: tuple[OrderReport, ...] = ()
    looked_up: Mapping[str, OrderReport | None] = field(default_factory=dict)
    fills: tuple[Fill, ...] = ()
    positions: tuple[PositionReport, ...] = ()
    protections: tuple[ProtectionReport, ...] = ()
