"""The loop: private pushes and a sweep, each of them enough to see everything."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog

from apps.db.bookkeeping import bookkeeping
from apps.engine.ports import AccountNews, AccountStreams, Broker
from apps.engine.values.position import PositionMode
from apps.engine.values.venue import VenueConstraints
from apps.live import watch_state
from apps.live.ledger import AccountLedger
from apps.live.watch import reconciliation
from apps.live.watch.account_view import BROKER_FAULTS
from apps.live.watch.follower import AccountFollower
from apps.live.watch_state import SILENT
from apps.orders import store as orders
from apps.switches import store as switches

log = structlog.get_logger("positions")

SWEEP_EACH = timedelta(seconds=5)
SOON = timedelta(seconds=1)
"""While seconds count for a symbol, and after the exchange could not be read."""
TOGETHER = timedelta(seconds=0.05)
"""Pushes of one happening come together: they are read once."""
GLANCE_EACH = timedelta(seconds=0.5)
"""Our own books are looked at for what no push tells: switches and claims."""
RECONCILE_EACH = timedelta(minutes=1)
UNSTORED_BEFORE = timedelta(days=1)
"""A process before may have left lines of the ledger unstored: a new one reads so far back once."""


class Watch:
    """Owns every order from the moment it may have left, and every position.

    `mode` is the position mode the account shall have. What protects comes first and raises what it meets;
    what is only written down is tried, told when it fails, and tried again.
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
    ) -> None:
        self._account = ledger.account
        self._ledger = ledger
        self._broker = broker
        self._streams = streams
        self._mode = mode
        self._clock = clock
        self._sweep = AccountFollower(ledger, broker, constraints, clock)
        self._acted_at = self._sweep_at = self._reconcile_at = self._glance_at = clock()
        self._in_doubt = True  # the trades of every symbol are read at the next comparison
        self._reconciled = False  # what the state row says
        self._books_seen: object = None  # the switches and symbols at the last glance
        self._unsaved_columns: dict[str, Any] = {}
        self._unstored_since: datetime | None = clock() - UNSTORED_BEFORE

    def run(self, stop: threading.Event) -> None:
        """Run until `stop`. Raises what the database or a broken stream raises; a new Watch then goes on."""
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
            self._in_doubt = True
            self._reconcile_at = now

    def run_due(self) -> None:
        """Do what is due now; everything, when our clock was set back."""
        now = self._clock()
        if now < self._acted_at:
            self._sweep_at = self._reconcile_at = self._glance_at = now
        self._acted_at = now
        if now >= self._glance_at:
            self._look_at_own_books(now)
        if now >= self._sweep_at:
            self._follow_account(now)
        if now >= self._reconcile_at:
            self._reconcile(now)

    def _look_at_own_books(self, now: datetime) -> None:
        """Follow the account at once when switches or claims changed; doubt everything after a silence."""
        self._glance_at = now + GLANCE_EACH
        books = (switches.off_switches(), orders.active_symbols(self._account))
        if books != self._books_seen:
            self._books_seen, self._sweep_at = books, now
        if self._reconciled and not self._hears(now):
            self._in_doubt, self._reconciled = True, False
            self._save_state(reconciled_at=None)
            log.warning("private_gap", heard_at=str(self._streams.heard_at()))

    def _follow_account(self, now: datetime) -> None:
        soon = True
        try:
            soon = self._sweep.follow(now)
            self._save_state(read_at=now, heard_at=self._streams.heard_at())
        except BROKER_FAULTS as fault:
            log.warning(
                "exchange_unreadable", error=str(fault), effect="nothing is believed, asked again in 1 s"
            )
        self._sweep_at = self._clock() + (SOON if soon else SWEEP_EACH)

    def _reconcile(self, now: datetime) -> None:
        """Compare the books whole: after a start or a gap with the trades of every symbol."""
        try:
            self._save_state(**reconciliation.sync_venue_health(self._broker, self._mode))
            also = reconciliation.symbols_with_late_trades(self._account, now)
            if self._in_doubt:
                also += orders.active_symbols(self._account)
            if also:
                self._sweep.follow(self._clock(), also)
            self._unstored_since = reconciliation.save_money(
                self._broker, self._account, now, self._unstored_since
            )
        except BROKER_FAULTS as fault:
            self._reconcile_at = now + SWEEP_EACH
            log.warning("not_reconciled", error=str(fault))
            return
        orders.expire_reviews(self._account, older_than=now - reconciliation.REVIEW_TTL, now=now)
        orders.save_missing_results(self._account, since=now - reconciliation.RESULTS_RETRIED_FOR)
        reconciliation.save_excursions(self._account, now)
        self._ledger.retry_unwritten()
        self._reconcile_at = now + RECONCILE_EACH
        if self._hears(now):
            self._in_doubt, self._reconciled = False, True
            self._save_state(reconciled_at=now)

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
