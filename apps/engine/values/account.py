"""What the account has open, reserved, cooling down and switched off: the past that an entry is judged by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from apps.engine.values.position import Side
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.timeframe import Timeframe

DRAWDOWN_WINDOW = timedelta(days=30)
"""Equity is compared with its highest point of so long."""
STREAK_WINDOW = timedelta(hours=24)
"""A symbol's streak of stop losses falls within so long, and blocks it for so long after the last of them."""


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """Limits over all profiles: percentages of equity and of its peak, multiples of equity, counts.

    `symbol_stop_streak`, `account_stop_streak`: so many stop losses in a row block; at least 1.
    """

    daily_loss_pct: Decimal = Decimal(6)
    drawdown_pct: Decimal = Decimal(15)
    symbol_stop_streak: int = 3
    account_stop_streak: int = 6
    total_notional_ratio: Decimal = Decimal(6)
    direction_notional_ratio: Decimal = Decimal(4)
    max_positions: int = 10


@dataclass(frozen=True, slots=True)
class Exposure:
    """One decision's claim on the account: a position, or an entry that may still become one.

    `notional` and `risk` (the loss at the stop with fees) in settle currency, of the full size as long as
    anything of it may still fill; an unknown order counts as filled at full size. A position that is not ours
    has an empty profile and decision key.
    """

    decision_key: str
    profile: str
    symbol: str
    side: Side
    notional: Decimal
    risk: Decimal


@dataclass(frozen=True, slots=True)
class SymbolState:
    """One symbol in our books.

    `locked_by` is the decision that holds its lock. `occupied`: an open order, a position or a leftover
    protection, ours or not. `unknown`: something of it is unresolved. `consumed`: decisions already used
    up, of the last day at least. `leverage`: the last one confirmed with isolated margin. `stop_streak`: as
    the account's, of this symbol alone and of the last two STREAK_WINDOWs: older ones decide nothing.
    """

    locked_by: str | None = None
    occupied: bool = False
    unknown: bool = False
    cooldown_until: datetime | None = None
    consumed: frozenset[str] = frozenset()
    leverage: int | None = None
    stop_streak: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountState:
    """The account in our books at one moment.

    `off` maps the switches that are off to their reasons; None when they could not be read. `symbols` holds
    those asked for; an absent one has nothing. `lost_today` is each profile's realised loss of the UTC day,
    with the planned loss of what closed and whose trades have not all come yet,
    net of fees, positive for a loss, negative for a gain ("" for positions that are not ours). `reconciled`
    is False before the first reconciliation and after a private gap of more than 20 s. `unhealthy` says why
    the venue may not be traded (clock, silence); empty when it may.

    `peak_equity` is the highest equity of the last DRAWDOWN_WINDOW, moved by what was deposited and withdrawn
    since; None when no point is known. `stop_streak`: when the positions closed, rising, that lost in a row
    up to now. Every closed position counts, ours or not, by its net result: below zero is a stop loss, above
    zero ends the streak, zero does neither.

    What a person reset (`daily_loss_reset`) is in neither `lost_today` nor the streaks.
    """

    off: Mapping[str, str] | None
    reconciled: bool
    unhealthy: str = ""
    symbols: Mapping[str, SymbolState] = field(default_factory=dict)
    exposures: tuple[Exposure, ...] = ()
    lost_today: Mapping[str, Decimal] = field(default_factory=dict)
    peak_equity: Decimal | None = None
    stop_streak: tuple[datetime, ...] = ()
    limits: AccountLimits = AccountLimits()

    def symbol(self, symbol: str) -> SymbolState:
        """Return what the books say of `symbol`; nothing known is an idle symbol."""
        return self.symbols.get(symbol, SymbolState())

    def without(self, decision_key: str) -> AccountState:
        """Return the state as if that decision had claimed nothing.

        A plan that a person approves is checked against it: its own claim is no reason to refuse it.
        """
        return replace(
            self,
            symbols={
                symbol: replace(
                    state,
                    locked_by=None if state.locked_by == decision_key else state.locked_by,
                    consumed=state.consumed - {decision_key},
                )
                for symbol, state in self.symbols.items()
            },
            exposures=tuple(exposure for exposure in self.exposures if exposure.decision_key != decision_key),
        )

    def within(self, decision_key: str) -> AccountState:
        """Return the state as the rest of that decision is judged by: neither its claim, nor what it filled,
        nor the cooldown of its own submission is a reason to refuse it."""
        state = self.without(decision_key)
        symbols = {
            symbol: replace(of_symbol, occupied=False, cooldown_until=None)
            if self.symbol(symbol).locked_by == decision_key
            else of_symbol
            for symbol, of_symbol in state.symbols.items()
        }
        return replace(state, symbols=symbols)


def kill_switch_refusal(
    off: Mapping[str, str] | None, profile: str, symbol: str, timeframes: Iterable[Timeframe]
) -> Refusal | None:
    """Return the refusal by the widest switch that is off for this profile, symbol and any of the timeframes.

    None when all of them are on. `off` maps the keys that are off (`GLOBAL`, `PROFILE:p`, `SYMBOL:X`,
    `SYMBOL_TF:X:5m`) to their reasons; it is None when they could not be read, which refuses.
    """
    if off is None:
        return Refusal(Reason.KILL_SWITCH_UNREADABLE)
    candidates = [
        ("GLOBAL", Reason.KILL_SWITCH_GLOBAL),
        (f"PROFILE:{profile}", Reason.KILL_SWITCH_PROFILE),
        (f"SYMBOL:{symbol}", Reason.KILL_SWITCH_SYMBOL),
        *((f"SYMBOL_TF:{symbol}:{timeframe}", Reason.KILL_SWITCH_SYMBOL_TF) for timeframe in timeframes),
    ]
    for key, reason in candidates:
        if key in off:
            return Refusal(reason, {"switch": key, "because": off[key]})
    return None
