"""Books that cannot be written neither end nor delay what protects: each kind by itself, and later again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from django.db import OperationalError, connection

from apps.db.bookkeeping import bookkeeping
from apps.exchange.simulator.market.archive import Archive
from apps.orders.models import AccountTransaction, EquityPoint, Fill
from tests.live.watching import D, House, opened
from tests.rooms.unwritable import unwritable

BOOKS = (
    "equity_point",
    "account_transaction",
    "fill",
    "protection",
    "risk_day",
    "trade_lifecycle_event",
    "watch_state",
)
"""What protects nothing: everything the watch writes but orders, positions, locks and cooldowns."""
PATIENCE_S = 8
"""For a pass of which everything is due: each write may wait for 0.2 s, the rest is this machine's."""


def naked(house: House) -> None:
    """A position without a stop, and everything due: the sweep and the minute's bookkeeping."""
    house.exchange.switch(preset_on_partial="never")
    house.enter()
    house.clock.push(61)


def catch_up(house: House) -> None:
    """At the next comparison the rooms hold all that the exchange booked, and entries may go again."""
    points = EquityPoint.objects.count()
    house.clock.push(61)
    house.until(lambda: EquityPoint.objects.count() > points)
    books = house.books()
    house.until(lambda: AccountTransaction.objects.count() == len(books["ledger"]))
    house.until(lambda: Fill.objects.count() == len(books["fills"]))
    house.clock.push(-122)  # the pushes are heard by the clock of this machine
    house.until(lambda: house.health().reconciled)


@pytest.mark.parametrize("table", BOOKS)
def test_a_pass_whose_books_cannot_be_written_protects_what_is_naked(house: House, table: str) -> None:
    with unwritable(table):
        naked(house)
        house.watch.run_due()
        assert len(house.stops()) == 1, "asked for in this very pass"
        house.until(house.is_protected)
    catch_up(house)


@pytest.fixture
def committed(archive: Archive, transactional_db: None) -> Iterator[House]:
    """A house whose rows others see and lock."""
    with opened(archive) as house:
        yield house


@pytest.mark.parametrize("table", BOOKS)
def test_books_that_others_lock_hold_up_no_stop(committed: House, table: str) -> None:
    parameters = connection.get_connection_params()
    wanted = {name: parameters[name] for name in parameters.keys() - {"cursor_factory", "context"}}
    with psycopg.connect(**wanted) as other:
        other.execute(f'LOCK TABLE "{table}" IN SHARE MODE')
        naked(committed)
        began = time.monotonic()
        committed.watch.run_due()
        assert time.monotonic() - began < PATIENCE_S
        assert len(committed.stops()) == 1
        committed.until(committed.is_protected)
    catch_up(committed)


def test_money_too_large_for_the_books_protects_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, points = house.broker.account, EquityPoint.objects.count()
    monkeypatch.setattr(house.broker, "account", lambda: replace(account(), available=D("1e20")))
    naked(house)
    house.watch.run_due()
    assert len(house.stops()) == 1
    assert EquityPoint.objects.count() == points
    monkeypatch.undo()
    house.clock.push(61)
    house.until(lambda: EquityPoint.objects.count() == points + 1)


def test_a_lost_database_is_no_failed_write_but_raised(transactional_db: None) -> None:
    """The watch begins anew then: what it holds by its connections is gone."""
    with pytest.raises(OperationalError), bookkeeping("anything"), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    connection.close()
