"""What a client asks for when he submits an order, before anything was checked."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.exchange.simulator.holdings import ZERO
from apps.exchange.simulator.rows import NO_PRESETS, Presets
from apps.exchange.simulator.words import GTC


@dataclass(frozen=True, slots=True)
class Wish:
    """`price` None is a market order; `leverage` None takes the account's setting for the contract."""

    symbol: str
    side: int
    size: int
    price: Decimal | None
    mode: int = GTC
    leverage: int | None = None
    open_type: str = ""
    client_order_id: str = ""
    presets: Presets = NO_PRESETS
    plan_order_id: int = 0
    trigger_price: Decimal = ZERO
