"""What came of a backtest: every trade, the account's worth over time, and what was refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from apps.engine.values.plan import OrderPlan
from apps.engine.values.position import Side
from apps.engine.values.reason import Reason


class Exit(StrEnum):
    """What ended a position."""

    STOP = "stop"
    TARGET = "target"
    LIQUIDATION = "liquidation"
    CLOSED = "closed"
    """At market by us: an emergency, or its time was over."""
    OPEN = "open"
    """Still held when the history ended; valued at its last price."""


@dataclass(frozen=True, slots=True)
class Trade:
    """One position from its first fill until flat. Money in settle currency.

    `gross` is the price difference times the filled size; `net` = gross - fees + funding (received is
    positive). `best` and `worst` are the most favourable and the most adverse last price while it was held.
    """

    plan: OrderPlan
    opened_at: datetime
    closed_at: datetime
    size: Decimal
    entry_price: Decimal
    exit_price: Decimal
    exit: Exit
    gross: Decimal
    fees: Decimal
    funding: Decimal
    best: Decimal
    worst: Decimal

    @property
    def symbol(self) -> str:
        return self.plan.symbol

    @property
    def side(self) -> Side:
        return self.plan.side

    @property
    def net(self) -> Decimal:
        return self.gross - self.fees + self.funding

    @property
    def r_multiple(self) -> Decimal:
        """Net by the plan's risk at its stop, fees and slippage included, of the size that was filled."""
        return self.net / self.plan.risk_of(self.size)


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """The account at a moment: `balance` is cash, `equity` adds what open positions would bring."""

    at: datetime
    balance: Decimal
    equity: Decimal


@dataclass(frozen=True, slots=True)
class UnfilledOrder:
    """An order that ended without a fill."""

    plan: OrderPlan
    ended_at: datetime
    status: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One profile over one stretch on one account.

    `start` <= decisions < `end`. `equity_points` rise in time, from the start on, one at every day's end and
    every change of the balance at least. `refusals` counts decisions × minutes refused by the entry, by
    reason; `verdicts` symbol-minutes by the reason that there was no entry, READY ones under "READY".
    `candles` counts 1m candles judged over all symbols.
    """

    profile: str
    digest: str
    symbols: tuple[str, ...]
    start: datetime
    end: datetime
    equity: Decimal
    trades: tuple[Trade, ...]
    unfilled: tuple[UnfilledOrder, ...]
    equity_points: tuple[EquityPoint, ...]
    refusals: Mapping[Reason, int]
    verdicts: Mapping[str, int]
    candles: int
