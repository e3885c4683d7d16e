"""The exchange: one account that trades on one market, moved forward along the recorded path.

No clock and no network in here: the time comes in with every call, for a server and a backtest alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from apps.engine.values.contract import UnknownSymbol
from apps.exchange.simulator.account.account import Account
from apps.exchange.simulator.account.journal import Journal, JournalError
from apps.exchange.simulator.account.rows import ZERO, Position, Row, Wallet
from apps.exchange.simulator.codes import TRANSFER
from apps.exchange.simulator.market.archive import MINUTE_S
from apps.exchange.simulator.market.market import Market, book
from apps.exchange.simulator.market.path import TICKS, Moment, moment, moment_at
from apps.exchange.simulator.market.ticker_stats import FUNDING_S, TickerStats
from apps.exchange.simulator.matching import orders, triggers
from apps.exchange.simulator.matching.matching import Event, Level, Matching, Rules, Tick
from apps.exchange.simulator.matching.next_event import NextEvent, next_event
from apps.exchange.simulator.reports import datetime_of

START_BALANCE = Decimal(1000)

FUNDING_TICKS = FUNDING_S // MINUTE_S * TICKS
NEVER = 2**62


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit made known: order events in order, positions that changed, and whether anything did."""

    events: list[Event]
    positions: list[Position]
    changed: bool


class Exchange:
    """Call `advance` before anything else at a moment, and `commit` before anyone is told what happened."""

    def __init__(
        self, market: Market, account: Account, journal: Journal | None = None, rules: Rules | None = None
    ) -> None:
        self.market = market
        self.account = account
        self.rules = rules or Rules()
        self.matching = Matching(account, self.rules, orders.arm_presets)
        self._journal = journal
        self.ticker_stats = TickerStats(market)
        self._played = account.wallet.played
        self._next_events: dict[str, tuple[int, NextEvent]] = {}

    @classmethod
    def open(
        cls,
        market: Market,
        now_ms: int,
        *,
        path: Path | None = None,
        name: str = "",
        balance: Decimal | None = None,
        rules: Rules | None = None,
    ) -> Exchange:
        """Open the books kept in `path`, or new ones that begin with `balance` USDT, 1,000 by default.

        Without a path nothing is kept. `name` tells markets apart. What the books mention and `market` does
        not list is delisted on the exchange's market. Raises JournalError when the books are of another
        market, mention contracts that were never recorded, began with another balance, or cannot be read.
        """
        journal = Journal(path, name) if path else None
        try:
            rows = journal.read() if journal else []
            mentioned = {row.symbol for row in rows if not isinstance(row, Wallet)} - {""}
            # No row of the books may become unreadable: what they mention stays listed.
            archive = market.archive.with_symbols(mentioned)
            if archive is not market.archive:
                market = Market(archive, market.seed)
            account = _open_account(market, rows, now_ms, balance)
            if journal:
                journal.begin(account.rows())
        except BaseException as fault:
            if journal:
                journal.close()
            if isinstance(fault, UnknownSymbol):
                raise JournalError(
                    f"the books in {path} mention contracts that were never recorded: "
                    f"{', '.join(fault.symbols)}; move them away to begin new ones"
                ) from fault
            raise
        return cls(market, account, journal, rules)

    def close(self) -> None:
        if self._journal:
            self._journal.close()

    def tick(self, symbol: str, at: Moment, at_ms: int | None = None) -> Tick:
        run, listing = self.market.minute_path(symbol, at.minute), self.market.archive.listing(symbol)

        def levels(buys: bool) -> list[Level]:
            depth = book(self.market, symbol, at)
            return [(listing.price(price), size) for price, size in (depth.asks if buys else depth.bids)]

        return Tick(
            symbol=symbol,
            minute=at.minute,
            at_ms=round(at.at_s * 1000) if at_ms is None else at_ms,
            last=listing.price(run.last.price(at.tick)),
            mark=listing.price(run.mark.price(at.tick)),
            volume=run.volume,
            low=listing.price(min(run.last.vertices)),
            high=listing.price(max(run.last.vertices)),
            levels=levels,
        )

    def tick_at(self, symbol: str, at_ms: int) -> Tick:
        """Return the contract as it is quoted at a time between two ticks."""
        return self.tick(symbol, moment_at(at_ms / 1000), at_ms)

    def advance(self, now_ms: int) -> None:
        """Play every tick up to now. A clock that went back plays nothing."""
        while self.play_on(now_ms) is not None:
            pass

    def play_on(self, until_ms: int) -> int | None:
        """Play up to the first tick that changes anything, at most to `until_ms`; return its time in ms.

        None when everything was played and nothing changed on the way.
        """
        self.settle()
        account, until = self.account, moment_at(until_ms / 1000).number
        while self._played < until:
            symbols = account.active_symbols()
            ahead = [self._next_event(symbol, self._played + 1).number for symbol in symbols]
            if account.open_positions():
                ahead.append(-(-(self._played + 1) // FUNDING_TICKS) * FUNDING_TICKS)
            number = min(ahead, default=NEVER)
            if number > until:
                break
            before, at = account.changes, Moment(*divmod(number, TICKS))
            if number % FUNDING_TICKS == 0:
                for symbol in symbols:
                    rate = self.ticker_stats.funding_rate(symbol, at.minute * MINUTE_S)
                    triggers.pay_funding(account, self.tick(symbol, at), rate)
            for symbol in symbols:
                if self._next_event(symbol, number) == NextEvent(number, may_happen=True):
                    triggers.play_tick(self.matching, self.tick(symbol, at))
            self._played = number
            if account.changes != before:
                return at.at_ms
        self._played = max(self._played, until)
        return None

    def settle(self) -> None:
        """Let accepted orders into the market, at the time they were accepted."""
        for order in self.account.unapproved():
            if self.account.is_live(order):
                self.matching.approve(order, self.tick_at(order.symbol, order.updated_ms))

    def commit(self) -> Commit:
        """Write down and return what changed; only then may it be told."""
        events, self.matching.events = self.matching.events, []
        changes = self.account.take_changes()
        if changes:
            self.account.put(replace(self.account.wallet, played=self._played))
            changes = [*(row for row in changes if not isinstance(row, Wallet)), *self.account.take_changes()]
            if self._journal:
                self._journal.write(changes)
        return Commit(events, [row for row in changes if isinstance(row, Position)], bool(changes))

    def last(self, symbol: str, at: Moment) -> Decimal:
        return self.market.archive.listing(symbol).price(
            self.market.minute_path(symbol, at.minute).last.price(at.tick)
        )

    def mark(self, symbol: str, at: Moment) -> Decimal:
        return self.market.archive.listing(symbol).price(
            self.market.minute_path(symbol, at.minute).mark.price(at.tick)
        )

    def mark_leaves(
        self, symbol: str, low: Decimal, high: Decimal, after: datetime, until: datetime
    ) -> datetime | None:
        """When the mark is first below `low` or above `high`, after one moment and up to another."""
        price_ticks = self.market.archive.listing(symbol).price_decimals
        beyond = (
            math.ceil(low.scaleb(price_ticks)) - 1,
            math.floor(high.scaleb(price_ticks)) + 1,
        )
        first, last = moment(after).earlier(-1), moment(until)
        for minute in range(first.minute, last.minute + 1):
            run = self.market.minute_path(symbol, minute).mark
            tick = run.first_beyond(*beyond, first.tick if minute == first.minute else 0)
            if tick is not None:
                reached = Moment(minute, tick)
                return datetime_of(reached.at_ms) if reached <= last else None
        return None

    def _next_event(self, symbol: str, first: int) -> NextEvent:
        """Return it from tick `first` on; search again only when the contract changed, or it has passed."""
        version = self.account.version(symbol)
        searched, event = self._next_events.get(symbol, (-1, NextEvent(-1, may_happen=False)))
        if searched != version or event.number < first or (event.number == first and not event.may_happen):
            event = next_event(self.market, self.account, symbol, first)
            self._next_events[symbol] = version, event
        return event


def _open_account(market: Market, rows: Iterable[Row], now_ms: int, balance: Decimal | None) -> Account:
    """Return the account of these rows; of no rows a new one with `balance`, which else must be theirs."""
    account = Account(market.archive.listing, Wallet(ZERO))
    for row in rows:
        account.put(row)
    if not account.wallet.played:
        start = START_BALANCE if balance is None else balance
        account.book_line(TRANSFER, start, "", now_ms, transfer="spot_to_contract")
        account.put(replace(account.wallet, played=moment_at(now_ms / 1000).number))
    elif balance is not None and balance != (began := next(iter(account.ledger_lines.values())).amount):
        raise JournalError(
            f"--balance {balance} contradicts the books: they began with {began} USDT; "
            "leave --balance out to go on with them, or move their file away to begin new ones"
        )
    account.take_changes()
    return account
