"""What the account was worth over time."""

from __future__ import annotations

from datetime import datetime

from apps.backtest.outcome import Worth
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.path import moment


class WorthOverTime:
    """Points that rise in time: of one moment only the last is kept."""

    def __init__(self, floor: Exchange, start: datetime) -> None:
        self._floor = floor
        self._points: list[Worth] = []
        self.note(start)

    @property
    def points(self) -> tuple[Worth, ...]:
        return tuple(self._points)

    def changed(self, now: datetime) -> None:
        """A point, when the balance is another than at the last one."""
        if self._floor.account.wallet.cash != self._points[-1].balance:
            self.note(now)

    def note(self, now: datetime) -> None:
        account, at = self._floor.account, moment(now)
        balance = account.wallet.cash
        equity = balance + account.unrealised(lambda symbol: self._floor.last(symbol, at))
        if self._points and self._points[-1].at == now:
            self._points.pop()
        self._points.append(Worth(now, balance, equity))
