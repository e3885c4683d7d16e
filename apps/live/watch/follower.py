"""One look at the account: what is in danger first, by three lists; what must be explained after that."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from apps.engine import events
from apps.engine.cycle import AccountView, observe, perform, read_account
from apps.engine.cycle.view import lacks_reads
from apps.engine.follow.book import is_urgent
from apps.engine.follow.fallback import watched_by_quote
from apps.engine.follow.symbol import EARLIEST, FollowResult
from apps.engine.ports.account import Broker
from apps.engine.ports.clock import Clock
from apps.engine.values.book import ExchangeBook, SymbolBook
from apps.engine.values.errors import TradingError
from apps.engine.values.order import ProtectionKind
from apps.engine.values.position import PositionStatus
from apps.live.watch.books import DATABASE_FAULTS, Books, FollowRules
from apps.live.watch.dead_man import DeadManSwitches
from apps.live.watch.resting_quotes import PushedQuotes, RestingQuotes
from apps.live.watch.side_thread import SideThread, StillReading
from apps.market import quotes
from apps.orders.store import round_book

log = structlog.get_logger("positions")

TRADES_EACH = timedelta(minutes=1)
"""Each symbol's trades are read so often, whether anything differs or not."""
EXPLAINED_WITHIN_S = 0.5
"""One look waits so long for look-ups and trades, while a push of a fill may wait for the next look."""
UNREAD_WITHIN_S = 1.0
"""So long at most what needs no list keeps the lists from being read."""
QUOTES_FOR_S = 900.0
"""What rests or is held is wanted for longer than what may become so: it comes first where room is short."""
Handle = Callable[[Books, SymbolBook, ExchangeBook, Mapping[str, str]], FollowResult]


@dataclass(frozen=True, slots=True)
class Look:
    """`soon`: seconds count for a symbol. `whole`: all three lists were read. `unknown`: symbols of which
    something could not be read, or is not explained yet."""

    soon: bool
    whole: bool
    unknown: frozenset[str]


class AccountFollower:
    """Follows what `books` and `broker`, of the same account, show.

    `owed`: symbols whose trades must be read whatever the lists say; one leaves it when they were, or when
    they could not be read and it is unknown.
    """

    def __init__(
        self, broker: Broker, rules: FollowRules, clock: Clock, read_quotes: PushedQuotes = quotes.read
    ) -> None:
        self._broker = broker
        self._rules = rules
        self._clock = clock
        self._dead_man = DeadManSwitches(broker, clock)
        self._side = SideThread()
        self._quotes = RestingQuotes(broker, clock, read_quotes, self._side)
        self._traded_at: dict[str, datetime] = {}
        self._explained_at: dict[str, datetime] = {}
        self._unread: set[str] = set()
        self._handled: set[str] = set()  # at the last look, and not explained then
        self.owed: set[str] = set()

    def follow_unread(self, books: Books) -> None:
        """Do what needs no list of the exchange: take back the entries whose time is over, that a switch
        covers, or whose side a person wants closed. Raises the database's faults.

        The lists are asked for again after UNREAD_WITHIN_S, however many entries are left: those come first
        the next time.
        """
        off, ends = books.off_switches(), time.monotonic() + UNREAD_WITHIN_S
        booked = books.load(books.active_symbols(), self._clock())
        for symbol in sorted(booked, key=lambda symbol: _asked_back_at(booked[symbol])):
            if time.monotonic() >= ends:
                return
            self._guarded(self._follow, books, booked[symbol], ExchangeBook(symbol), off)

    def follow(self, books: Books) -> Look:
        """Handle every symbol. Raises the broker's fault when no list could be read, and the database's."""
        view = read_account(self._broker, self._clock)
        for fault in view.faults:
            log.warning("list_unreadable", error=str(fault), effect="what it would show is not known")
        if view.orders is None and view.positions is None and view.protections is None:
            self.follow_unread(books)
            raise view.faults[0]
        now, off = self._clock(), books.off_switches()
        armed = self._dead_man.armed_symbols(books)
        symbols = {*books.active_symbols(), *view.shown(), *self.owed, *armed}
        booked = books.load(symbols, now)
        listed = {symbol: _rounded(view, symbol) for symbol in symbols}
        in_order = sorted(symbols, key=lambda symbol: (_danger(booked[symbol], listed[symbol], now), symbol))

        seen, handled, results = dict(listed), set[str](), list[FollowResult | None]()
        for symbol in in_order:
            result = self._guarded(self._follow, books, booked[symbol], seen[symbol], off)
            results.append(result)
            if result is None or result.events or result.actions:
                handled.add(symbol)  # the lists are older than that: it is explained at the next look
            if result is not None and result.events and symbol in self._handled:
                # something of it is asked for at every look: it is read again by itself, else it never is
                booked[symbol] = replace(result.book, changed_at=self._clock())
                seen[symbol] = ExchangeBook(symbol)
        self._handled = handled - self._handled

        unhandled, is_late = symbols - self._handled, False
        ends = time.monotonic() + EXPLAINED_WITHIN_S
        for symbol in self._to_explain(unhandled, booked, seen):
            if is_late := time.monotonic() >= ends:  # the others are explained at the next look
                break
            explain = partial(self._explain, ends)
            try:
                results.append(self._guarded(explain, books, booked[symbol], seen[symbol], off))
            except StillReading:  # and so is this one
                is_late = True
                break
        is_renewed = self._dead_man.renew(books, booked, listed)
        resting = [symbol for symbol in unhandled if watched_by_quote(booked[symbol])]
        for quote in self._quotes.get(resting, ends):
            quoted = replace(seen[quote.symbol], quote=quote)
            results.append(self._guarded(self._follow, books, booked[quote.symbol], quoted, off))

        for shown in listed.values():
            books.save_protections(shown)
        books.save_marks([report for shown in listed.values() for report in shown.positions])
        quotes.want(symbols, QUOTES_FOR_S)
        soon = is_late or not is_renewed or any(result is None or result.soon for result in results)
        return Look(soon, not view.faults, view.unreadable | self._unexplained(booked, listed))

    def _to_explain(
        self, symbols: Collection[str], booked: Mapping[str, SymbolBook], seen: Mapping[str, ExchangeBook]
    ) -> Iterator[str]:
        """Yield the symbols whose lists do not tell enough: the one being read, then those not explained for
        longest. Each counts as explained when the next one is asked for."""
        now = self._clock()
        self._traded_at = {symbol: self._traded_at.get(symbol, now) for symbol in booked}
        # to spare the limits one more symbol a look: that whose trades were read longest ago, if that is long
        due = [symbol for symbol, at in self._traded_at.items() if now - at >= TRADES_EACH]
        self.owed |= set(sorted(due, key=self._traded_at.__getitem__)[:1])

        def turn(symbol: str) -> tuple[bool, datetime]:
            return symbol != self._side.reading, self._explained_at.get(symbol, EARLIEST)

        for symbol in sorted(symbols, key=turn):
            constraints = self._rules.constraints
            if symbol in self.owed or lacks_reads(booked[symbol], seen[symbol], constraints, now):
                yield symbol
                self._explained_at[symbol] = now

    def _explain(
        self, until: float, books: Books, book: SymbolBook, seen: ExchangeBook, off: Mapping[str, str]
    ) -> FollowResult:
        """Read what the lists lack of one symbol, and follow it again. StillReading at `until`, monotonic
        seconds."""
        symbol, trades = seen.symbol, seen.symbol in self.owed

        def read() -> tuple[datetime, ExchangeBook, tuple[TradingError, ...]]:
            constraints, begun = self._rules.constraints, self._clock()
            return begun, *observe(
                self._broker, book, seen, constraints=constraints, clock=self._clock, trades=trades
            )

        begun, whole, faults = self._side.read(symbol, read, until - time.monotonic())
        if book.changed_at is not None and begun <= book.changed_at:  # an earlier look began it
            whole = whole.trades_alone
        self._unread.discard(symbol)
        for fault in faults:
            self._unread.add(symbol)
            log.warning("symbol_unreadable", symbol=symbol, error=str(fault))
        if faults or whole.fills_at is not None:
            self.owed.discard(symbol)
        if whole.fills_at is not None:
            self._traded_at[symbol] = whole.fills_at
        return self._follow(books, book, round_book(whole), off)

    def _unexplained(
        self, booked: Mapping[str, SymbolBook], listed: Mapping[str, ExchangeBook]
    ) -> frozenset[str]:
        """Return the symbols of which something could not be read, or holds what no book says."""
        self._unread &= set(booked)
        held = {
            symbol
            for symbol, book in booked.items()
            if {report.side for report in listed[symbol].positions} - {each.side for each in book.positions}
        }
        return frozenset(self._unread | held)

    def _follow(
        self, books: Books, book: SymbolBook, seen: ExchangeBook, off: Mapping[str, str]
    ) -> FollowResult:
        """Decide, and only when something follows decide again in the books themselves, and do it."""
        contract = books.contract(seen.symbol)
        result = self._rules.follow(book, seen, contract, off, self._clock())
        if not result.events and not result.actions and not seen.fills:
            return result
        result = books.follow(seen, contract, off)
        failures: list[events.Event] = []
        for action in result.actions:  # all of them, before any failure is written down
            failures += perform(action, broker=self._broker, now=self._clock())
        if failures:
            books.record(failures)
        return result

    def _guarded(
        self, handle: Handle, books: Books, book: SymbolBook, seen: ExchangeBook, off: Mapping[str, str]
    ) -> FollowResult | None:
        """Return what `handle` does; None after a fault of this symbol alone, which is logged."""
        try:
            return handle(books, book, seen, off)
        except (*DATABASE_FAULTS, StillReading):
            raise
        except Exception:  # whatever is wrong with one symbol must not leave the others unprotected
            log.exception("symbol_failed", symbol=seen.symbol)
            return None


def _rounded(view: AccountView, symbol: str) -> ExchangeBook:
    """Return what the lists tell of `symbol` as our columns keep it; nothing where its numbers are none."""
    try:
        return round_book(view.book(symbol))
    except ArithmeticError:
        log.exception("symbol_unreadable", symbol=symbol)
        return ExchangeBook(symbol)


def _asked_back_at(book: SymbolBook) -> datetime:
    """Return when a cancel was last sent."""
    return max((order.cancel_asked_at or EARLIEST for order in book.orders), default=EARLIEST)


def _danger(book: SymbolBook, seen: ExchangeBook, now: datetime) -> int:
    """Return 0 for a position of ours, or perhaps of ours, without a stop on its side; 1 where seconds count;
    2 for the rest."""
    foreign = {held.side for held in book.positions if held.status == PositionStatus.FOREIGN}
    stops = {row.side for row in seen.protections if row.kind == ProtectionKind.STOP}
    if {report.side for report in seen.positions} - foreign - stops:
        return 0
    return 1 if is_urgent(book, now) else 2
