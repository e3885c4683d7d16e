"""What is away is not believed: without pushes, without Redis, without the exchange."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from apps.engine.ports.account import BrokerUnavailable, BrokerUnknown
from apps.exchange.bitmart import broker
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.server import listen, running
from apps.live.models import WatchState
from apps.live.watch import process
from apps.orders.models import Position
from apps.switches import store as switches
from tests.contract import account as exchange_account
from tests.contract.account import Account, Ahead
from tests.live.watching import GLANCED_S, OTHER, SYMBOL, House

OVER = 4
"""The exchange's number for an order that ended."""


def test_the_sweep_alone_sees_a_fill(house: House) -> None:
    house.deafen()
    house.exchange.switch(preset_on_partial="never")
    house.enter()
    assert house.until(house.is_protected) < 6


def test_the_pushes_alone_see_a_fill(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SWEEP_EACH", timedelta(hours=1))
    monkeypatch.setattr(process, "SOON", timedelta(hours=1))
    monkeypatch.setattr(process, "GLANCE_EACH", timedelta(hours=1))
    house.work(1)
    house.exchange.switch(preset_on_partial="never")
    house.enter()
    assert house.until(house.is_protected) < 6


@pytest.mark.parametrize("spoilt", ["user_duplicate", "user_reorder"])
def test_pushes_that_come_twice_or_in_disorder_do_no_harm(house: House, spoilt: str) -> None:
    house.exchange.switch(**{spoilt: True}, preset_on_partial="never", fill_at_most=1)
    plan = house.enter(notional=Decimal(200))
    house.until(lambda: house.order_status(plan) == "FILLED")
    house.until(house.is_protected)
    assert Position.objects.get().size == plan.size
    assert len(house.stops()) == 1


@pytest.mark.slow
def test_without_redis_a_position_is_protected_and_closed_all_the_same(
    archive: Archive, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    with exchange_account.opened(archive) as exchange:
        house = House(exchange)
        house.until(lambda: house.health().reconciled)
        house.exchange.switch(preset_on_partial="never")
        house.enter()
        assert house.until(house.is_protected) < 10
        for protection in house.broker.all_protections().rows:
            house.broker.unprotect(protection.symbol, protection.exchange_order_id)
        house.exchange.switch(refuse_stops=True)
        house.until(lambda: house.position_status() == "CLOSED", patience_s=40)
        assert house.books()["positions"] == []


@pytest.fixture
def unlisted(house: House, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """From its call on the exchange tells no list, and takes orders; returns what is asked, as it grows."""
    asked: list[str] = []

    def unavailable() -> Any:
        asked.append("list")
        raise BrokerUnavailable("503")

    def begin() -> list[str]:
        for name in ("all_orders", "all_positions", "all_protections"):
            monkeypatch.setattr(house.broker, name, unavailable)
        return asked

    return begin


def test_what_a_switch_covers_is_taken_back_though_no_list_can_be_read(
    house: House, unlisted: Callable[[], list[str]]
) -> None:
    for symbol in (SYMBOL, OTHER):
        house.enter(symbol, away_pct="1")
    house.until(lambda: len(house.books()["orders"]) == 2)
    unlisted()
    switches.set_switch("GLOBAL", is_on=False, reason="stop", actor="ada")
    assert house.until(lambda: not is_any_resting(house)) < GLANCED_S


def test_an_entry_whose_time_is_over_is_taken_back_though_no_list_can_be_read(
    house: House, unlisted: Callable[[], list[str]]
) -> None:
    house.enter(away_pct="1")
    house.until(lambda: is_any_resting(house))
    unlisted()
    house.clock.push(61)
    house.until(lambda: not is_any_resting(house))


def test_a_cancel_that_is_not_answered_holds_up_no_list(
    house: House, monkeypatch: pytest.MonkeyPatch, unlisted: Callable[[], list[str]]
) -> None:
    for symbol in (SYMBOL, OTHER, "SOLUSDT"):
        house.enter(symbol, away_pct="1")
    house.until(lambda: len(house.books()["orders"]) == 3)
    asked = unlisted()

    def hangs(symbol: str, client_order_id: str) -> None:
        asked.append(symbol)
        time.sleep(1.1)
        raise BrokerUnknown("no answer")

    monkeypatch.setattr(house.broker, "cancel", hangs)
    switches.set_switch("GLOBAL", is_on=False, reason="stop", actor="ada")
    house.until(lambda: {SYMBOL, OTHER, "SOLUSDT"} < set(asked))
    assert all("list" in pair for pair in pairwise(asked))


def is_any_resting(house: House) -> bool:
    return any(order["state"] != OVER for order in house.books()["orders"])


@contextlib.contextmanager
def exchange_at(port: int, archive: Archive, books: Path, clock: Ahead) -> Iterator[str]:
    with running(archive, port, clock=clock, books=books) as address:
        yield address


@pytest.mark.slow
def test_an_exchange_that_is_away_is_asked_again_and_nothing_is_believed_flat(
    archive: Archive, db: None, tmp_path: Path
) -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    clock, books = Ahead(), tmp_path / "books"
    with exchange_at(port, archive, books, clock) as address:
        exchange = Account(address, clock)
        house = House(exchange)
        house.until(lambda: house.health().reconciled)
        house.enter()
        house.until(house.is_protected)
    read_at = WatchState.objects.get().read_at
    house.work(4)
    assert house.position_status() == "PROTECTED"
    assert Position.objects.get().flat_since is None
    house.clock.push(25)
    house.work(0.5)
    assert not house.health().reconciled
    house.clock.push(-25)
    with exchange_at(port, archive, books, clock):
        house.until(lambda: house.health().reconciled, patience_s=30)
        house.until(lambda: WatchState.objects.get().read_at != read_at)
        assert house.position_status() == "PROTECTED"
        assert len(house.stops()) == 1
        exchange.close()


def test_a_list_too_long_for_one_answer_is_read_symbol_by_symbol(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "OPEN_ROWS", 1)  # a page of one row is full
    house.exchange.switch(preset_on_partial="never")
    house.enter()
    house.until(lambda: len(house.stops()) == 1)
