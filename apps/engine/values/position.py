"""What is held, and what it is held with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    LONG = "long"
    SHORT = "short"


class PositionStatus(StrEnum):
    """NAKED: without a confirmed stop. FOREIGN: not opened by us."""

    OPENING = "OPENING"
    NAKED = "NAKED"
    PROTECTED = "PROTECTED"
    CLOSING = "CLOSING"
    CLOSED = "CLOSED"
    FOREIGN = "FOREIGN"


class ProtectionStatus(StrEnum):
    PLACING = "PLACING"
    ACTIVE = "ACTIVE"
    REPLACING = "REPLACING"
    TRIGGERED = "TRIGGERED"
    CANCELLED = "CANCELLED"
    LOST = "LOST"


class PositionMode(StrEnum):
    HEDGE = "hedge"
    ONE_WAY = "one_way"


@dataclass(frozen=True, slots=True)
class PositionReport:
    """An open position as the exchange reports it; `size` > 0 in contracts, prices in quote currency.

    `mark_price` and `unrealised` (settle currency) are None where the exchange does not tell them readably.
    """

    symbol: str
    side: Side
    size: Decimal
    entry_price: Decimal
    opened_at: datetime
    mark_price: Decimal | None = None
    unrealised: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """Settle currency. `equity` = available + frozen + position margin + unrealised."""

    available: Decimal
    frozen: Decimal
    position_margin: Decimal
    unrealised: Decimal

    @property
    def equity(self) -> Decimal:
        return self.available + self.frozen + self.position_margin + self.unrealised


class TransactionKind(StrEnum):
    """OTHER: money moved, for a reason the exchange names by a word that we do not know."""

    TRANSFER = "transfer"
    REALISED = "realised"
    FUNDING = "funding"
    FEE = "fee"
    LIQUIDATION = "liquidation"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Transaction:
    """One line of the account's ledger; `amount` signed, `symbol` "" for transfers."""

    transaction_id: str
    kind: TransactionKind
    amount: Decimal
    symbol: str
    at: datetime


QUOTE_MAX_AGE_S = 3
"""Nothing is decided by an older quote."""


@dataclass(frozen=True, slots=True)
class Quote:
    """Top of book, mark and last price, at our clock `at`. ValueError when not positive, or crossed."""

    symbol: str
    bid: Decimal
    ask: Decimal
    mark: Decimal
    last: Decimal
    at: datetime

    def __post_init__(self) -> None:
        for name in ("bid", "ask", "mark", "last"):
            value = getattr(self, name)
            if not value.is_finite() or value <= 0:
                raise ValueError(f"quote {self.symbol}: {name} {value} is not a positive number")
        if self.bid >= self.ask:
            raise ValueError(f"quote {self.symbol}: bid {self.bid} is not below ask {self.ask}")

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2

    @property
    def spread_bps(self) -> Decimal:
        return (self.ask - self.bid) / self.mid * 10_000


@dataclass(frozen=True, slots=True)
class Bracket:
    """Up to `notional_cap` (quote currency): the most leverage, and maintenance = notional × ratio − cum."""

    notional_cap: Decimal
    max_leverage: int
    maintenance_ratio: Decimal
    cum: Decimal


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Ratios of notional."""

    maker: Decimal
    taker: Decimal
