"""The loop: private pushes and a sweep, each of them enough to see everything."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.db import connection

from apps.db.bookkeeping import bookkeeping
from apps.engine.cycle.view import BROKER_FAULTS
from apps.engine.ports.account import AccountNews, AccountStreams, Broker
from apps.engine.values.position import PositionMode
from apps.engine.values.venue import VenueConstraints
from apps.live import watch_state
from apps.live.ledger import AccountLedger
from apps.live.watch import reconciliation
from apps.live.watch.books import DATABASE_FAULTS, FollowRules, RememberedBooks, StoredBooks
from apps.live.watch.follower import AccountFollower
from apps.live.watch.resting_quotes import PushedQuotes
from apps.live.watch.side_thread import SideThread, StillReading
from apps.live.watch_state import SILENT
from apps.market import quotes
from apps.orders import store as orders

log = structlog.get_logger("positions")

SWEEP_EACH = timedelta(seconds=5)
SOON = timedelta(seconds=1)
"""While seconds count for a symbol, and after the exchange could not be read."""
TOGETHER = timedelta(seconds=0.05)
"""Pushes of one happening come together: they are read once."""
LOOKS_APART = timedelta(seconds=0.5)
"""However much is pushed: a look that waits for the exchange's limits holds up all that is due meanwhile, and
positions may be listed five times in 2.5 s."""
GLANCE_EACH = timedelta(seconds=0.25)
"""Our own books are looked at for what no push tells: switches, claims, and what people want closed."""
RECONCILE_EACH = timedelta(minutes=1)
RECONCILED_WITHIN_S = 1.0
"""Nothing that protects waits longer for clock, mode, ledger and equity: their read goes on beside it."""
WRITE_DOWN_EACH = timedelta(seconds=5)
"""So often a database that is away is tried: each try may take seconds that protection waits for."""
UNSTORED_BEFORE = timedelta(days=1)
"""A process before may have left lines of the ledger unstored: a new one reads so far back once."""


class BooksReturned(Exception):
    """What was decided from memory is written down: a new life begins, with a lock of its own."""


class Watch:
    """Owns every order from the moment it may have left, and every position.

    `mode` is the position mode the account shall have, `heartbeat` a sign of life that is given all the time;
    `adopt_foreign`: what was opened by hand gets a stop; `read_quotes`: the newest pushed ones of symbols.
    What protects comes first; what is only written down is tried, told when it fails, and tried again. While
    the database is away protection goes on from memory.
    """

    def __init__(
        self,
        ledger: AccountLedger,
        broker: Broker,
        streams: AccountStreams,
        *,
        constraints: VenueConstraints,
        mode: PositionMode,
        clock: Callable[[], datetime],
        heartbeat: Callable[[], None] = lambda: None,
        adopt_foreign: bool = False,
        read_quotes: PushedQuotes = quotes.read,
    ) -> None:
        def beating_clock() -> datetime:
            """It is asked before each call to the exchange and each symbol: whoever asks is alive."""
            heartbeat()
            return clock()

        self._account = ledger.account
        self._ledger = ledger
        self._broker = broker
        self._streams = streams
        self._mode = mode
        self._clock = beating_clock
        rules = FollowRules(constraints, adopt_foreign)
        self._books = StoredBooks(ledger, broker, rules, beating_clock)
        self._away: RememberedBooks | None = None  # instead, while the database is
        self._follower = AccountFollower(broker, rules, beating_clock, read_quotes)
        self._side = SideThread()
        self._acted_at = self._sweep_at = self._reconcile_at = self._glance_at = clock()
        self._looked_at = clock() - LOOKS_APART
        self._written_at = clock()  # what is remembered is tried to be written down
        self._in_doubt = True  # the trades of every symbol are read at the next comparison
        self._doubted: set[str] = set()  # those symbols, while they are read
        self._reconciled = False  # what the state row says
        self._symbols_seen: object = None  # what was active at the last glance
        self._wanted_seen: object = None  # then: which switches off, which positions closed
        self._unsaved_columns: dict[str, Any] = {}
        self._unstored_since: datetime | None = clock() - UNSTORED_BEFORE

    def run(self, stop: threading.Event) -> None:
        """Run until `stop`. Raises BooksReturned after an outage of the database, and what a broken stream
        raises; a new Watch then goes on."""
        self._save_state(**watch_state.fresh_columns(self._clock()))
        for news in self._streams.account():
            if news is not None:
                self.handle_news(news)
            self.run_due()
            if stop.is_set():
                return

    def handle_news(self, news: AccountNews) -> None:
        """Read soon; after a gap compare everything."""
        now = self._clock()
        self._sweep_at = min(self._sweep_at, now + TOGETHER)
        if news.reconnected:
            self._in_doubt, self._doubted = True, set()
            self._reconcile_at = now

    def run_due(self) -> None:
        """Do what is due now; everything, when our clock was set back."""
        now = self._clock()
        if now < self._acted_at:
            self._sweep_at = self._reconcile_at = self._glance_at = self._written_at = now
            self._looked_at = now - LOOKS_APART
        self._acted_at = now
        if self._away is not None:
            self._follow_from_memory(self._away, now)
            return
        try:
            if now >= self._glance_at:
                self._look_at_own_books(now)
            if self._is_look_due(now):
                self._follow_account(now)
            if now >= self._reconcile_at:
                self._reconcile(now)
        except DATABASE_FAULTS as fault:
            effect = "what is open is followed from memory, nothing new is opened"
            log.error("books_unreachable", error=str(fault).strip(), effect=effect)
            connection.close()
            self._away = RememberedBooks(self._books, self._clock)
            self._sweep_at, self._written_at = now, now + WRITE_DOWN_EACH

    def _follow_from_memory(self, away: RememberedBooks, now: datetime) -> None:
        """Protect by what was known; raise BooksReturned once all of it is written down."""
        if self._is_look_due(now):
            self._looked_at = now
            try:
                soon = self._follower.follow(away).soon
            except BROKER_FAULTS as fault:
                log.warning("exchange_unreadable", error=str(fault), effect="asked again in 1 s")
                soon = True
            self._sweep_at = self._clock() + (SOON if soon else SWEEP_EACH)
        if now >= self._written_at:
            self._written_at = now + WRITE_DOWN_EACH
            try:
                away.write_down(self._ledger)
            except DATABASE_FAULTS as fault:
                log.warning("books_unreachable", error=str(fault).strip(), events=len(away.pending))
                connection.close()
                return
            log.info("books_written_down")
            raise BooksReturned

    def _look_at_own_books(self, now: datetime) -> None:
        """Obey changed switches and requests to close, and follow the account after these or claims changed;
        doubt everything after a silence."""
        self._glance_at = now + GLANCE_EACH
        active = self._books.active_symbols()
        wanted = (self._books.off_switches(), self._books.close_requests())
        if wanted != self._wanted_seen:
            self._follower.follow_unread(self._books)  # the lists may take their time
            self._wanted_seen, self._sweep_at = wanted, now
        if active != self._symbols_seen:
            self._books.load(active, now)  # remembered even if the exchange cannot be read now
            self._symbols_seen, self._sweep_at = active, now
        if self._reconciled and not self._hears(now):
            self._in_doubt, self._doubted, self._reconciled = True, set(), False
            self._save_state(reconciled_at=None)
            log.warning("private_gap", heard_at=str(self._streams.heard_at()))

    def _is_look_due(self, now: datetime) -> bool:
        return now >= max(self._sweep_at, self._looked_at + LOOKS_APART)

    def _follow_account(self, now: datetime) -> None:
        self._looked_at = now
        soon = True
        try:
            look = self._follower.follow(self._books)
        except BROKER_FAULTS as fault:
            log.warning(
                "exchange_unreadable", error=str(fault), effect="nothing is believed, asked again in 1 s"
            )
        else:
            soon = look.soon
            read = {"read_at": now} if look.whole else {}
            self._save_state(heard_at=self._streams.heard_at(), unknown=sorted(look.unknown), **read)
        self._sweep_at = self._clock() + (SOON if soon else SWEEP_EACH)

    def _reconcile(self, now: datetime) -> None:
        """Compare the books whole: after a start or a gap with the trades of every symbol."""
        if self._in_doubt and not self._doubted:
            self._doubted = set(self._books.active_symbols())
            self._follower.owed |= self._doubted
        if self._doubted & self._follower.owed:
            self._follow_account(self._clock())
        if self._doubted & self._follower.owed:  # one look was too short for all of their trades
            self._reconcile_at = self._clock() + SOON
            return
        since = reconciliation.ledger_since(self._account, now, self._unstored_since)
        read = partial(reconciliation.read, self._broker, self._mode, since, now)
        try:
            reading = self._side.read("reconciliation", read, RECONCILED_WITHIN_S)
            self._save_state(**reading.health)
            self._follower.owed |= set(reconciliation.symbols_with_late_trades(self._account, now))
            self._unstored_since = reconciliation.save_money(reading, self._account, self._unstored_since)
            if reading.fault is not None:
                raise reading.fault
        except StillReading:
            self._reconcile_at = self._clock() + SOON
            return
        except BROKER_FAULTS as fault:
            self._reconcile_at = now + SWEEP_EACH
            log.warning("not_reconciled", error=str(fault))
            return
        self._doubted = set()
        orders.expire_reviews(self._account, older_than=now - reconciliation.REVIEW_TTL, now=now)
        orders.save_missing_results(self._account, since=now - reconciliation.RESULTS_RETRIED_FOR)
        reconciliation.save_excursions(self._account, now)
        self._ledger.retry_unwritten()
        self._reconcile_at = now + RECONCILE_EACH
        if self._hears(now):
            self._in_doubt, self._reconciled = False, True
            self._save_state(reconciled_at=reading.at)

    def _save_state(self, **columns: Any) -> None:
        """Write to the state row, with what could not be written there before: entries believe that row."""
        self._unsaved_columns |= columns
        with bookkeeping("watch_state", **self._unsaved_columns) as attempt:
            watch_state.save_columns(self._account, **self._unsaved_columns)
        if attempt.fault is None:
            self._unsaved_columns = {}

    def _hears(self, now: datetime) -> bool:
        heard_at = self._streams.heard_at()
        return heard_at is not None and now - heard_at <= SILENT
