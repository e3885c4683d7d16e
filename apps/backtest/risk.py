"""What drawdown and streaks of stop losses are judged by, in memory: a peak and a few times, no history."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from apps.engine.values.account import DRAWDOWN_WINDOW, STREAK_WINDOW

ACCOUNT = ""
"""Whose streak is that of all symbols together."""


@dataclass
class AccountRisk:
    """Points, transfers and results come in the order of their time.

    `_falling`: of the points of the window those that no later one reaches, so that the first is the peak.
    """

    _falling: deque[tuple[datetime, Decimal]] = field(default_factory=deque)
    _transfers: set[str] = field(default_factory=set)
    _streaks: dict[str, tuple[datetime, ...]] = field(default_factory=dict)

    def add_equity(self, equity: Decimal, at: datetime) -> None:
        """Take what the account was worth, no earlier than the last point, in place of one of that moment."""
        while self._falling and (self._falling[-1][1] <= equity or self._falling[-1][0] == at):
            self._falling.pop()
        self._falling.append((at, equity))
        self._forget(at)

    def add_transfer(self, transaction_id: str, amount: Decimal, at: datetime) -> None:
        """Move the points before a deposit (> 0) or a withdrawal by it; the same line twice is one."""
        if transaction_id not in self._transfers:
            self._transfers.add(transaction_id)
            points = [(time, equity + amount if time < at else equity) for time, equity in self._falling]
            self._falling.clear()
            for time, equity in points:
                self.add_equity(equity, time)

    def add_result(self, symbol: str, earned: Decimal, at: datetime) -> None:
        """Take the net result of a position that closed: below zero a stop loss, above zero a win."""
        for streak in (symbol, ACCOUNT):
            if earned < 0:
                self._streaks[streak] = (*self._streaks.get(streak, ()), at)
            elif earned > 0:
                self._streaks.pop(streak, None)

    def peak_equity(self, now: datetime) -> Decimal | None:
        self._forget(now)
        return self._falling[0][1] if self._falling else None

    def account_streak(self) -> tuple[datetime, ...]:
        return self._streaks.get(ACCOUNT, ())

    def symbol_streaks(self, symbols: Sequence[str], now: datetime) -> dict[str, tuple[datetime, ...]]:
        """Return, of each of `symbols` with any, the losses in a row of the last two STREAK_WINDOWs."""
        since = now - 2 * STREAK_WINDOW
        return {
            symbol: tuple(at for at in self._streaks[symbol] if at > since)
            for symbol in symbols
            if symbol in self._streaks
        }

    def _forget(self, now: datetime) -> None:
        while self._falling and self._falling[0][0] < now - DRAWDOWN_WINDOW:
            self._falling.popleft()
