"""The trading floor: one account that trades on one market, moved forward along the recorded path.

No clock and no network in here: the time comes in with every call, for a server and a backtest alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from apps.exchange.simulator import funding, plans, triggers
from apps.exchange.simulator.account import Account
from apps.exchange.simulator.archive import MINUTE_S
from apps.exchange.simulator.book import book
from apps.exchange.simulator.figures import FUNDING_S, Figures
from apps.exchange.simulator.holdings import ZERO, Position, Purse
from apps.exchange.simulator.journal import Journal, JournalError
from apps.exchange.simulator.market import Market
from apps.exchange.simulator.matching import Event, Matching, Rules
from apps.exchange.simulator.path import LAST_TICK, TICKS, Moment, moment_at
from apps.exchange.simulator.tick import Level, Span, Tick
from apps.exchange.simulator.words import APPROVAL, TRANSFER

START_BALANCE = Decimal(1000)


@dataclass(frozen=True, slots=True)
class Happened:
    """What a commit made known: order events in order, positions that changed, and whether anything did."""

    events: list[Event]
    positions: list[Position]
    changed: bool


class Floor:
    """Call `advance` before anything else at a moment, and `commit` before anyone is told what happened."""

    def __init__(self, market: Market, account: Account, journal: Journal | None = None) -> None:
        self.market = market
        self.account = account
        self.rules = Rules()
        self.matching = Matching(account, self.rules, plans.arm_presets)
        self._journal = journal
        self.figures = Figures(market)
        self._played = account.purse.played

    @classmethod
    def open(
        cls,
        market: Market,
        now_ms: int,
        *,
        path: Path | None = None,
        name: str = "",
        balance: Decimal | None = None,
    ) -> Floor:
        """The books kept in `path`, or new ones that begin with `balance` USDT, 1,000 by default.

        Without a path nothing is kept. `name` tells markets apart. Raises JournalError when the books are of
        another market, began with another balance, or cannot be read.
        """
        journal = Journal(path, name) if path else None
        try:
            account = _opened(market, journal, now_ms, balance)
        except BaseException:
            if journal:
                journal.close()
            raise
        return cls(market, account, journal)

    def close(self) -> None:
        if self._journal:
            self._journal.close()

    def tick(self, symbol: str, at: Moment, at_ms: int | None = None) -> Tick:
        run, listing = self.market.run(symbol, at.minute), self.market.archive.listing(symbol)

        def levels(buys: bool) -> list[Level]:
            depth = book(self.market, symbol, at)
            return [(listing.price(price), size) for price, size in (depth.asks if buys else depth.bids)]

        return Tick(
            symbol=symbol,
            minute=at.minute,
            at_ms=round(at.at_s * 1000) if at_ms is None else at_ms,
            last=listing.price(run.last[at.tick]),
            mark=listing.price(run.mark[at.tick]),
            volume=run.volume,
            levels=levels,
        )

    def tick_at(self, symbol: str, at_ms: int) -> Tick:
        """The contract as it is quoted at a time between two ticks."""
        return self.tick(symbol, moment_at(at_ms / 1000), at_ms)

    def advance(self, now_ms: int) -> None:
        """Play every tick up to now. A clock that went back plays nothing."""
        self.settle()
        until = moment_at(now_ms / 1000).number
        while self._played < until and self.account.alive():
            minute, tick = divmod(self._played + 1, TICKS)
            last = min(LAST_TICK, until - minute * TICKS)
            self._play(minute, tick, last)
            self._played = minute * TICKS + last
        self._played = max(self._played, until)

    def settle(self) -> None:
        """Let accepted orders into the market, at the time they were accepted."""
        for order in self.account.live_orders():
            if order.state == APPROVAL and self.account.is_live(order):
                self.matching.approve(order, self.tick_at(order.symbol, order.updated_ms))

    def commit(self) -> Happened:
        """Write down what changed; only then may it be told."""
        events, self.matching.events = self.matching.events, []
        changes = self.account.take_changes()
        if changes:
            self.account.put(replace(self.account.purse, played=self._played))
            changes = [*(row for row in changes if not isinstance(row, Purse)), *self.account.take_changes()]
            if self._journal:
                self._journal.write(changes)
        return Happened(events, [row for row in changes if isinstance(row, Position)], bool(changes))

    def last(self, symbol: str, at: Moment) -> Decimal:
        return self.market.archive.listing(symbol).price(self.market.run(symbol, at.minute).last[at.tick])

    def mark(self, symbol: str, at: Moment) -> Decimal:
        return self.market.archive.listing(symbol).price(self.market.run(symbol, at.minute).mark[at.tick])

    def _play(self, minute: int, first: int, last: int) -> None:
        symbols = self.account.alive()
        if first == 0 and minute * MINUTE_S % FUNDING_S == 0:
            for symbol in symbols:
                rate = self.figures.funding_rate(symbol, minute * MINUTE_S)
                funding.pay(self.account, self.tick(symbol, Moment(minute, 0)), rate)
        busy = [symbol for symbol in symbols if not self._is_quiet(symbol, minute)]
        for tick in range(first, last + 1) if busy else ():
            for symbol in busy:
                triggers.play(self.matching, self.tick(symbol, Moment(minute, tick)))

    def _is_quiet(self, symbol: str, minute: int) -> bool:
        cancel_at_ms = self.account.contract(symbol).cancel_at_ms
        if cancel_at_ms and cancel_at_ms < (minute + 1) * MINUTE_S * 1000:
            return False
        row, price = self.market.row[symbol], self.market.archive.listing(symbol).price
        last, mark = (
            path.vertices[:, row] for path in (self.market.path(minute), self.market.mark_path(minute))
        )
        span = Span(price(last.min()), price(last.max()), price(mark.min()), price(mark.max()))
        return triggers.is_quiet(self.account, symbol, span)


def _opened(market: Market, journal: Journal | None, now_ms: int, balance: Decimal | None) -> Account:
    account = Account(market.archive.listing, Purse(ZERO))
    for row in journal.read() if journal else ():
        account.put(row)
    if not account.purse.played:
        start = START_BALANCE if balance is None else balance
        account.record(TRANSFER, start, "", now_ms, transfer="spot_to_contract")
        account.put(replace(account.purse, played=moment_at(now_ms / 1000).number))
    elif balance is not None and balance != (began := next(iter(account.ledger.values())).amount):
        raise JournalError(
            f"--balance {balance} contradicts the books: they began with {began} USDT; "
            "leave --balance out to go on with them, or move their file away to begin new ones"
        )
    if journal:
        journal.begin(account.rows())
    account.take_changes()
    return account
