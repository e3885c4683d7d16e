"""Orders as the engine knows them: what we ask for, what the exchange says, and the legal life between."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from apps.engine.values.position import Side
from apps.engine.values.timeframe import Timeframe


class Role(StrEnum):
    """Why an order exists; the letter is part of its client id."""

    ENTRY = "e"
    CLOSE = "x"
    STOP = "s"
    TARGET = "t"


class TimeInForce(StrEnum):
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    POST_ONLY = "POST_ONLY"


class OrderStatus(StrEnum):
    """The life of a plan and its order: DENIED by us, REJECTED by the exchange."""

    PLANNED = "PLANNED"
    PENDING_REVIEW = "PENDING_REVIEW"
    APPROVED = "APPROVED"
    SUBMITTING = "SUBMITTING"
    UNKNOWN = "UNKNOWN"
    NEVER_ARRIVED = "NEVER_ARRIVED"
    SUBMITTED = "SUBMITTED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    DENIED = "DENIED"


_S = OrderStatus
TRANSITIONS: dict[OrderStatus, frozenset[OrderStatus]] = {
    _S.PLANNED: frozenset({_S.PENDING_REVIEW, _S.SUBMITTING, _S.DENIED}),
    _S.PENDING_REVIEW: frozenset({_S.APPROVED, _S.DENIED, _S.EXPIRED}),
    _S.APPROVED: frozenset({_S.SUBMITTING, _S.DENIED, _S.EXPIRED}),
    _S.SUBMITTING: frozenset(
        {_S.SUBMITTED, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.REJECTED, _S.UNKNOWN, _S.DENIED}
    ),
    _S.UNKNOWN: frozenset(
        {_S.SUBMITTED, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.REJECTED, _S.NEVER_ARRIVED}
    ),
    _S.SUBMITTED: frozenset({_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.EXPIRED, _S.REJECTED}),
    _S.PARTIALLY_FILLED: frozenset({_S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.EXPIRED}),
    # A fill may be reported after the cancel that it outran, and what was believed over may rest after all.
    _S.CANCELLED: frozenset({_S.SUBMITTED, _S.PARTIALLY_FILLED, _S.FILLED}),
    _S.EXPIRED: frozenset({_S.SUBMITTED, _S.PARTIALLY_FILLED, _S.FILLED}),
    # An order given up for lost may turn up after all: reality wins.
    _S.NEVER_ARRIVED: frozenset({_S.SUBMITTED, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED}),
    # What was executed is executed, whatever was answered or believed.
    _S.REJECTED: frozenset({_S.SUBMITTED, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED}),
    _S.DENIED: frozenset({_S.SUBMITTED, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED}),
    _S.FILLED: frozenset(),
}
"""From each status, the statuses it may turn into."""


_SAYS_MOST = (
    *(_S.UNKNOWN, _S.SUBMITTING, _S.PARTIALLY_FILLED, _S.SUBMITTED),
    *(_S.FILLED, _S.CANCELLED, _S.EXPIRED, _S.NEVER_ARRIVED, _S.REJECTED, _S.DENIED),
)


def decision_status(tranches: Collection[OrderStatus]) -> OrderStatus:
    """Return the status of a decision by those of its tranches: what may still fill first, then what came
    farthest."""
    first = min(tranches, key=_SAYS_MOST.index)
    return _S.PARTIALLY_FILLED if first is _S.SUBMITTED and _S.FILLED in tranches else first


def decision_key(
    profile: str, symbol: str, timeframe: Timeframe, candle_open_at: datetime, side: Side
) -> str:
    """Return the name of one decision, the same everywhere: at most one opening order per tranche."""
    return f"{profile}|{symbol}|{timeframe}|{candle_open_at:%Y-%m-%dT%H:%M:%SZ}|{side}"


def client_order_id(role: Role, key: str, *, tranche: int = 0, attempt: int = 0) -> str:
    """Return 32 letters and digits that the same decision, tranche and attempt always get."""
    return f"tv3{role}{hashlib.sha256(f'{key}|{tranche}|{attempt}'.encode()).hexdigest()[:28]}"


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a broker is asked to place. `size` in contracts; `price` None is a market order.

    `side` is the position's: a long entry buys, a long close sells. `opens` False is reduce-only.
    `stop_price` and `target_price` attach protection to an opening order: both trigger on the last price
    and close at market. `leverage` counts only for an opening order: the position has its own.
    """

    symbol: str
    side: Side
    opens: bool
    size: Decimal
    price: Decimal | None
    time_in_force: TimeInForce
    client_order_id: str
    leverage: int | None = None
    stop_price: Decimal | None = None
    target_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OrderReport:
    """An order as the exchange reports it now. `filled` ≤ `size` in contracts; `average_price` 0 if unfilled.

    `open` is False once nothing of it can fill any more.
    """

    exchange_order_id: str
    client_order_id: str
    symbol: str
    side: Side
    opens: bool
    price: Decimal
    size: Decimal
    filled: Decimal
    average_price: Decimal
    open: bool
    updated_at: datetime

    @property
    def status(self) -> OrderStatus:
        """Return the status in an order's life that these numbers mean."""
        if self.filled >= self.size:
            return OrderStatus.FILLED
        if not self.open:
            return OrderStatus.CANCELLED
        return OrderStatus.PARTIALLY_FILLED if self.filled else OrderStatus.SUBMITTED


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade of ours. `fee` in quote currency, positive when paid; `realised` without the fee."""

    trade_id: str
    exchange_order_id: str
    symbol: str
    side: Side
    opens: bool
    price: Decimal
    size: Decimal
    fee: Decimal
    realised: Decimal
    is_maker: bool
    at: datetime


class ProtectionKind(StrEnum):
    STOP = "stop"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class ProtectionReport:
    """A resting protective order of a position: fires on the last price, closes at market.

    `size` None is the whole position.
    """

    exchange_order_id: str
    client_order_id: str
    symbol: str
    side: Side
    kind: ProtectionKind
    trigger_price: Decimal
    size: Decimal | None
