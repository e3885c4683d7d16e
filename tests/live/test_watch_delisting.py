"""What is held in a contract that the exchange delists, or lists no more, is followed to its end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest

from apps.engine.ports.account import Broker, BrokerUnavailable
from apps.engine.values.contract import Contract as ContractValue
from apps.engine.values.position import Side
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.state import State
from apps.exchange.simulator.server import listen, running
from apps.live.watch.books import ContractCache
from apps.market import store as market
from apps.market.models import Contract
from apps.orders.models import Position
from tests.contract.account import Account, Ahead
from tests.live.watching import House, told
from tests.rooms.builders import contract
from tests.rooms.trades import NOW

HELD, SENT = "SOLUSDT", "XRPUSDT"


@pytest.fixture
def port() -> int:
    with listen("127.0.0.1", 0) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def exchange_of(symbols: int, port: int, books: Path, clock: Ahead) -> Iterator[str]:
    """The local exchange with its first `symbols` contracts and these books."""
    archive = Archive.open(State(clock().date()), symbols=symbols)
    with running(archive, port, clock=clock, books=books) as address:
        yield address


@pytest.mark.parametrize("row_removed", [False, True])
def test_after_a_start_with_fewer_contracts_a_position_is_protected_and_closed_and_a_lost_claim_ends(
    db: None, tmp_path: Path, port: int, row_removed: bool
) -> None:
    clock, books = Ahead(), tmp_path / "books"
    with exchange_of(4, port, books, clock) as address:
        exchange = Account(address, clock)
        house = House(exchange)
        house.until(lambda: house.health().reconciled)
        plan = house.enter(HELD)
        house.until(lambda: house.position_status(HELD) == "PROTECTED")
        lost = house.claim(house.plan(SENT))
    with exchange_of(1, port, books, clock), contextlib.closing(exchange):
        market.save_contracts(house.broker.contracts(), house.clock())
        assert {row.symbol: row.status for row in market.contracts()} == {
            "BTCUSDT": "Trading",
            "ETHUSDT": "Delisted",
            HELD: "Delisted",
            SENT: "Delisted",
        }
        if row_removed:
            Contract.objects.filter(symbol__in=[HELD, SENT]).delete()
        house.restart()
        house.until(lambda: house.health().reconciled)
        for row in house.broker.protections(HELD):
            house.broker.unprotect(HELD, row.exchange_order_id)
        house.until(lambda: "naked" in told())
        house.until(lambda: house.position_status(HELD) == "PROTECTED")
        house.trade_by_hand(Side.LONG, opens=False, size=plan.size, symbol=HELD)
        house.until(lambda: house.position_status(HELD) == "CLOSED")
        house.exchange.clock.push(100)
        house.clock.push(100)
        house.until(lambda: house.order_status(lost) == "NEVER_ARRIVED")
        house.until(house.is_free)


def test_a_position_that_is_not_ours_in_a_contract_nobody_stored_refuses_entries_and_says_why(
    house: House,
) -> None:
    house.trade_by_hand(Side.LONG, opens=True, symbol=HELD)
    house.until(lambda: Position.objects.filter(symbol=HELD).exists())
    assert house.ledger.state(["BTCUSDT"], house.clock()).unhealthy == ""
    Contract.objects.filter(symbol=HELD).delete()
    state = house.ledger.state(["BTCUSDT"], house.clock())
    assert HELD in state.unhealthy
    assert "sync_contracts" in state.unhealthy


@dataclass
class Lister:
    """The broker's list of contracts, and how often it was asked for."""

    symbols: list[str]
    asked: int = field(default=0)
    is_away: bool = False

    def contracts(self) -> list[ContractValue]:
        self.asked += 1
        if self.is_away:
            raise BrokerUnavailable("no answer")
        return [contract(symbol, max_leverage=Decimal(7)) for symbol in self.symbols]


@pytest.mark.django_db
def test_a_contract_is_the_stored_one_else_the_exchanges_else_none_and_asked_for_once() -> None:
    market.save_contracts([contract("AUSDT"), contract("BUSDT")], NOW)
    market.save_contracts([contract("AUSDT")], NOW)
    lister = Lister(["CUSDT"])
    contracts = ContractCache(cast(Broker, lister), lambda: NOW)
    for _ in range(2):
        stored = contracts.get("BUSDT")
        assert stored is not None
        assert stored.status == "Delisted"
        listed = contracts.get("CUSDT")
        assert listed is not None
        assert listed.max_leverage == 7
        assert contracts.get("DUSDT") is None
    assert lister.asked == 2
    assert contracts.kept("CUSDT") == listed


@pytest.mark.django_db
def test_a_contract_that_cannot_be_read_now_is_none_now_and_there_later() -> None:
    lister = Lister(["CUSDT"], is_away=True)
    contracts = ContractCache(cast(Broker, lister), lambda: NOW)
    assert contracts.get("CUSDT") is None
    lister.is_away = False
    assert contracts.get("CUSDT") is not None
