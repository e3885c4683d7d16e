from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.engine.values.order import ProtectionKind
from apps.engine.values.position import PositionMode, Side
from apps.exchange.bitmart.adapter import CONSTRAINTS
from apps.exchange.bitmart.broker import Broker
from apps.exchange.bitmart.routes import DETAILS
from apps.exchange.dry import DryBroker
from tests.bitmart.scripted_exchange import Exchange, ok
from tests.bitmart.test_broker_calls import ENTRY
from tests.bitmart.test_parse_market import CONTRACT

EQUITY = Decimal(1000)


@pytest.fixture
def dry(broker: Broker) -> DryBroker:
    return DryBroker(broker, EQUITY, PositionMode.HEDGE, CONSTRAINTS.standard_fees)


def test_the_market_is_the_real_one(exchange: Exchange, dry: DryBroker) -> None:
    exchange.answers[DETAILS.path] = [ok({"symbols": [CONTRACT]})]
    (contract,) = dry.contracts()
    assert contract.symbol == "BTCUSDT"


def test_the_account_is_the_equity_it_was_given_and_holds_nothing(dry: DryBroker) -> None:
    account = dry.account()
    assert (account.equity, account.available) == (EQUITY, EQUITY)
    assert dry.position_mode() is PositionMode.HEDGE
    now = datetime.now(UTC)
    held = (
        dry.all_positions().rows,
        dry.all_orders().rows,
        dry.all_protections().rows,
        dry.transactions(now),
        dry.fills("BTCUSDT", now),
    )
    assert not any(held)
    assert dry.order("BTCUSDT", "tv3e0001") is None


def test_nothing_that_changes_something_is_sent(exchange: Exchange, dry: DryBroker) -> None:
    assert dry.submit(ENTRY) == "drytv3e0001"
    assert dry.protect("BTCUSDT", Side.LONG, ProtectionKind.STOP, Decimal(1), "tv3s0001") == "drytv3s0001"
    dry.cancel("BTCUSDT", "tv3e0001")
    dry.unprotect("BTCUSDT", "1")
    dry.set_leverage("BTCUSDT", 5)
    dry.cancel_after("BTCUSDT", 60)
    dry.set_position_mode(PositionMode.ONE_WAY)
    assert dry.position_mode() is PositionMode.ONE_WAY
    assert not exchange.posted
    assert not exchange.asked


def test_an_order_that_cannot_be_built_is_refused_as_if_it_were_sent(dry: DryBroker) -> None:
    with pytest.raises(ValueError, match=r"size 1\.5"):
        dry.submit(replace(ENTRY, size=Decimal("1.5")))


def test_the_last_check_is_asked_here_too(dry: DryBroker) -> None:
    class SwitchedOff(Exception):
        pass

    def check() -> None:
        raise SwitchedOff

    with pytest.raises(SwitchedOff):
        dry.submit(ENTRY, before_sending=check)
