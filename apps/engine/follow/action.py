"""What must be done at the exchange next. Each may be repeated: none opens anything."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.engine.values.order import OrderRequest, ProtectionKind
from apps.engine.values.position import Side


@dataclass(frozen=True, slots=True)
class CancelOrder:
    symbol: str
    client_order_id: str


@dataclass(frozen=True, slots=True)
class Protect:
    """A stop or target; `size` in contracts, None is the whole position."""

    symbol: str
    side: Side
    kind: ProtectionKind
    trigger_price: Decimal
    client_order_id: str
    size: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Unprotect:
    symbol: str
    exchange_order_id: str


@dataclass(frozen=True, slots=True)
class Close:
    """One slice of a position, reduce-only, at market."""

    request: OrderRequest


Action = CancelOrder | Protect | Unprotect | Close
