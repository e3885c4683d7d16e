"""What an account holds, has ordered and what happened to it: rows that are replaced, never changed.

Prices and money are Decimal in USDT, sizes whole contracts, times milliseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.exchange.simulator.codes import APPROVAL, BUYS, HEDGE, LIVE, LONG, OPENS, SHORT

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
class LedgerLine:
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
class Wallet:
    """The account's single row. `cash` in USDT: the sum of every line of the ledger.

    `played` is the number of the market's last tick that was applied, `numbers` the last number given out.
    """

    cash: Decimal
    position_mode: str = HEDGE
    played: int = 0
    numbers: int = 0

    @property
    def key(self) -> str:
        return "purse"


def position_key(symbol: str, position_type: int) -> str:
    return f"{symbol}:{position_type}"


@dataclass(frozen=True, slots=True)
class Presets:
    """Stop and target attached to an opening order; price 0 is none, type 0 is unset."""

    take_profit: Decimal = ZERO
    take_profit_type: int = 0
    stop_loss: Decimal = ZERO
    stop_loss_type: int = 0


NO_PRESETS = Presets()


@dataclass(frozen=True, slots=True)
class Order:
    """`price` of a market order is its worst price. `value` is the sum of price x contracts of its fills.

    `queued` orders the queue at a price: earlier first. `plan_order_id` is the plan it was born of, 0 none.
    `cancelled_by_dead_man`: the dead man's switch of its contract ended it.
    """

    order_id: int
    symbol: str
    side: int
    kind: str
    mode: int
    price: Decimal
    size: int
    leverage: int
    open_type: str
    position_mode: str
    created_ms: int
    updated_ms: int
    queued: int
    client_order_id: str = ""
    state: int = APPROVAL
    filled: int = 0
    value: Decimal = ZERO
    plan_order_id: int = 0
    trigger_price: Decimal = ZERO
    presets: Presets = NO_PRESETS
    cancelled_by_dead_man: bool = False

    @property
    def key(self) -> str:
        return str(self.order_id)

    @property
    def remaining(self) -> int:
        return self.size - self.filled

    @property
    def buys(self) -> bool:
        return self.side in BUYS

    @property
    def opens(self) -> bool:
        """May it open a position? (In one-way mode it reduces an opposite one first.)"""
        return self.side in OPENS

    @property
    def closes(self) -> int:
        """The type of position that it closes, or closes first."""
        return SHORT if self.buys else LONG


@dataclass(frozen=True, slots=True)
class Plan:
    """An order that waits for a trigger. `kind`: plan, take_profit, stop_loss, trailing.

    `size` 0 is the whole position, `executive_price` 0 is market. `carrier` is the order whose preset it was,
    0 none. A trailing plan fires `callback_pct` off its best price `peak`, known (above 0) once it is active.
    """

    order_id: int
    symbol: str
    side: int
    kind: str
    mode: int
    size: int
    trigger_price: Decimal
    price_way: int
    price_type: int
    executive_price: Decimal
    category: int
    leverage: int
    open_type: str
    position_mode: str
    created_ms: int
    updated_ms: int
    client_order_id: str = ""
    state: int = LIVE
    carrier: int = 0
    callback_pct: Decimal = ZERO
    peak: Decimal = ZERO
    presets: Presets = NO_PRESETS

    @property
    def key(self) -> str:
        return str(self.order_id)

    @property
    def protects(self) -> bool:
        return self.kind in ("take_profit", "stop_loss")

    @property
    def closes(self) -> int:
        """The type of position that its order closes, or closes first."""
        return SHORT if self.side in BUYS else LONG


Row = Order | Plan | Position | Trade | LedgerLine | Contract | Wallet
