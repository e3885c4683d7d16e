"""PostgreSQL halted: protection goes on from memory and is written down when it answers again."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.db import OperationalError, connection

from apps.audit.models import TradeLifecycleEvent
from apps.db.deadline import deadline
from apps.exchange.simulator.market.archive import Archive
from apps.live.watch import books
from apps.live.watch.process import BooksReturned
from apps.orders.models import Position
from tests.live.watching import SYMBOL, opened, told

pytestmark = pytest.mark.django_db(transaction=True)


class Line:
    """A wire to PostgreSQL that can be held: what is sent then arrives nowhere, and nobody is told."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.held = threading.Event()
        self._ended = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._ended.set()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=[client], daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(self._server) as server:
            while not self._ended.is_set():
                if self.held.is_set():
                    time.sleep(0.05)
                    continue
                for source in select.select([client, server], [], [], 0.05)[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    (server if source is client else client).sendall(data)


@pytest.fixture
def line(transactional_db: None) -> Iterator[Line]:
    settings = connection.settings_dict
    before = (settings["HOST"], settings["PORT"])
    wire = Line(settings["HOST"] or "127.0.0.1", int(settings["PORT"]))
    connection.close()
    settings["HOST"], settings["PORT"] = "127.0.0.1", wire.port
    yield wire
    wire.held.clear()
    connection.close()
    settings["HOST"], settings["PORT"] = before
    wire.close()


def test_whoever_waits_for_a_halted_server_is_let_go(line: Line) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    line.held.set()
    began = time.monotonic()
    with pytest.raises(OperationalError), deadline(0.5), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert time.monotonic() - began < 20
    connection.close()


@pytest.mark.django_db
def test_much_to_write_is_no_server_that_stopped() -> None:
    with deadline(0.4), connection.cursor() as cursor:
        for _ in range(6):
            cursor.execute("SELECT pg_sleep(0.1)")
        assert cursor.fetchall()


@pytest.mark.slow
def test_while_postgresql_is_halted_a_naked_position_gets_its_stop_and_the_books_follow(
    line: Line, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books, "ANSWERED_WITHIN_S", 1.0)
    with opened(archive) as house:
        house.enter()
        house.until(house.is_protected)
        line.held.set()
        for protection in house.broker.protections(SYMBOL):
            house.broker.unprotect(SYMBOL, protection.exchange_order_id)
        assert not house.stops()
        house.until(lambda: len(house.stops()) == 1, patience_s=10)
        house.work(2)
        line.held.clear()
        with pytest.raises(BooksReturned):
            house.work(20)
        house.restart()
        house.until(house.is_protected)
        kinds = ["naked", "protection_asked", "protected"]
        rows = TradeLifecycleEvent.objects.filter(event_type__in=kinds).order_by("id")
        told = list(rows.values_list("event_type", flat=True))
        assert told[told.index("naked") :][:3] == kinds, told
        assert Position.objects.get().stops_asked == 1
        assert len(house.stops()) == 1


@pytest.mark.slow
def test_what_was_entered_right_before_postgresql_halted_is_never_taken_for_somebody_elses(
    line: Line, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The books in memory do not know its order."""
    monkeypatch.setattr(books, "ANSWERED_WITHIN_S", 1.0)
    with opened(archive) as house:
        house.work(0.5)
        plan = house.enter()
        line.held.set()
        house.work(6)
        assert house.broker.positions(SYMBOL)
        line.held.clear()
        with pytest.raises(BooksReturned):
            house.work(20)
        house.restart()
        house.until(house.is_protected)
        assert not TradeLifecycleEvent.objects.filter(event_type="position_foreign").exists()
        assert Position.objects.get().decision_key == plan.decision_key


@pytest.mark.slow
@pytest.mark.parametrize("closes", [False, True], ids=["is held", "closed meanwhile"])
def test_what_an_order_found_without_its_plan_opened_is_its_decisions_once_postgresql_answers(
    line: Line, archive: Archive, monkeypatch: pytest.MonkeyPatch, *, closes: bool
) -> None:
    """It rests partly filled: the books in memory find it in the exchange's list and know nothing of it."""
    monkeypatch.setattr(books, "ANSWERED_WITHIN_S", 1.0)
    with opened(archive) as house:
        house.work(0.5)
        house.exchange.switch(fill_at_most=1)
        plan = house.enter()
        line.held.set()
        house.work(3)
        [held] = house.books()["positions"]
        house.exchange.switch(fill_at_most=0)
        if closes:
            house.trade_by_hand(plan.side, opens=False, size=Decimal(held["size"]))
            house.work(4)
        line.held.clear()
        with pytest.raises(BooksReturned):
            house.work(20)
        house.restart()
        house.until(house.is_free if closes else house.is_protected)
        assert "order_adopted" in told()
        position = Position.objects.get()
        assert (position.decision_key, position.profile) == (plan.decision_key, plan.profile)
        if closes:
            house.until(lambda: Position.objects.get().exit_price)


@pytest.mark.slow
def test_what_the_books_told_is_remembered_though_the_exchange_did_not_answer(
    line: Line, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process begins while the exchange is away, and PostgreSQL halts before it is back."""
    monkeypatch.setattr(books, "ANSWERED_WITHIN_S", 1.0)
    with opened(archive) as house:
        house.exchange.switch(preset_on_partial="never")
        plan = house.enter()
        house.exchange.switch(answer_503=1000)
        house.restart()
        house.work(1)
        line.held.set()
        house.work(2)
        house.exchange.switch(answer_503=0)
        house.until(house.stops)
        assert {Decimal(stop["trigger_price"]) for stop in house.stops()} == {plan.stop}
        line.held.clear()
        with pytest.raises(BooksReturned):
            house.work(20)
        house.restart()
        house.until(house.is_protected)
        assert Position.objects.get().decision_key == plan.decision_key
