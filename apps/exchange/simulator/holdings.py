"""What an account holds and what happened to it: rows that are replaced, never changed.

Prices and money are Decimal in USDT, sizes whole contracts, times milliseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.exchange.simulator.words import HEDGE

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Position:
    """`cost` is the sum of entry price x contracts of what is held; flat is size 0.

    `realised` is net of trading fees since it was opened, `funding` what was paid. `entry_price` is kept
    when flat, for the last push.
    """

    symbol: str
    position_type: int
    leverage: int
    open_type: str
    opened_ms: int
    updated_ms: int
    size: int = 0
    cost: Decimal = ZERO
    entry_price: Decimal = ZERO
    realised: Decimal = ZERO
    funding: Decimal = ZERO
    closed: int = 0
    closed_value: Decimal = ZERO

    @property
    def key(self) -> str:
        return position_key(self.symbol, self.position_type)


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill of ours. `fee` positive when paid; `realised` without it."""

    trade_id: int
    order_id: int
    client_order_id: str
    symbol: str
    side: int
    price: Decimal
    contracts: int
    maker: bool
    fee: Decimal
    realised: Decimal
    at_ms: int

    @property
    def key(self) -> str:
        return str(self.trade_id)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the ledger: the wallet changes by nothing else. `transfer` is its type for transfers."""

    entry_id: int
    flow_type: int
    amount: Decimal
    symbol: str
    at_ms: int
    transfer: str = ""

    @property
    def key(self) -> str:
        return str(self.entry_id)


@dataclass(frozen=True, slots=True)
class Contract:
    """What the account has set, and used up, on one contract.

    Resting fills took `taken` contracts of minute `taken_minute`.
    `cancel_at_ms` is when the dead man's switch cancels its orders, 0 off.
    """

    symbol: str
    leverage: int
    open_type: str
    taken_minute: int = 0
    taken: int = 0
    cancel_at_ms: int = 0

    @property
    def key(self) -> str:
        return self.symbol


@dataclass(frozen=True, slots=True)
class Purse:
    """The account's single row. `wallet` is cash: every line of the ledger is in it.

    `played` is the number of the market's last tick that was applied, `numbers` the last number given out.
    """

    wallet: Decimal
    position_mode: str = HEDGE
    played: int = 0
    numbers: int = 0

    @property
    def key(self) -> str:
        return "purse"


def position_key(symbol: str, position_type: int) -> str:
    return f"{symbol}:{position_type}"
