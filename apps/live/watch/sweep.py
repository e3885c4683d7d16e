"""One pass over the account: read it whole, handle every symbol, the unprotected ones first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import structlog
from django.db import InterfaceError, OperationalError

from apps.engine.follow.book import is_urgent
from apps.engine.ports import Broker
from apps.engine.values.book import ExchangeBook, SymbolBook
from apps.engine.values.venue import VenueConstraints
from apps.live.ledger import AccountLedger
from apps.live.watch.account_view import read_account
from apps.live.watch.contracts import ContractCache
from apps.live.watch.follower import follow_symbol
from apps.orders import store as orders
from apps.switches import store as switches

log = structlog.get_logger("positions")

TRADES_EACH = timedelta(minutes=1)


class AccountFollower:
    """`clock` is ours; `ledger` belongs to the account that `broker` trades."""

    def __init__(
        self,
        ledger: AccountLedger,
        broker: Broker,
        constraints: VenueConstraints,
        clock: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._broker = broker
        self._constraints = constraints
        self._clock = clock
        self._contracts = ContractCache(broker)
        self._traded_at: dict[str, datetime] = {}

    def follow(self, now: datetime, also: Iterable[str] = ()) -> bool:
        """Whether seconds count for any symbol. `also`: symbols to handle with all their trades.

        Raises the broker's fault when the account could not be read, and the database's.
        """
        account = self._ledger.account
        off = switches.off_switches()
        books = {
            symbol: orders.book(account, symbol, now) for symbol in {*orders.active_symbols(account), *also}
        }
        found = read_account(
            self._broker,
            books,
            lambda symbol: orders.book(account, symbol, self._clock()),
            constraints=self._constraints,
            trades_of={*also, *self._unread(books, now)},
            now=now,
        )
        self._traded_at |= dict.fromkeys(found.traded, now)
        soon = [self._handle(seen, off) for seen in sorted(found.seen.values(), key=_urgency(books))]
        return any(soon)

    def _unread(self, books: Iterable[str], now: datetime) -> list[str]:
        """The symbol whose trades were read longest ago, if that is long: one a pass, to spare the limits."""
        self._traded_at = {symbol: self._traded_at.get(symbol, now) for symbol in books}
        due = [symbol for symbol, at in self._traded_at.items() if now - at >= TRADES_EACH]
        return sorted(due, key=self._traded_at.__getitem__)[:1]

    def _handle(self, seen: ExchangeBook, off: Mapping[str, str]) -> bool:
        try:
            return follow_symbol(
                seen,
                self._contracts.of(seen.symbol),
                ledger=self._ledger,
                broker=self._broker,
                constraints=self._constraints,
                off=off,
                clock=self._clock,
            ).soon
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # whatever is wrong with one symbol must not leave the others unprotected
            log.exception("symbol_failed", symbol=seen.symbol)
            return False


def _urgency(books: Mapping[str, SymbolBook]) -> Callable[[ExchangeBook], tuple[bool, str]]:
    """Symbols that need care come first; so do those we know nothing of yet."""
    return lambda seen: (seen.symbol in books and not is_urgent(books[seen.symbol]), seen.symbol)
