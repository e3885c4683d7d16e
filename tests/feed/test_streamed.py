"""Which candles are kept: those of the universe, and of everything the account's books still hold."""

from __future__ import annotations

import pytest

from apps.engine import events
from apps.engine.ports.account import Claimed
from apps.engine.values.order import OrderStatus
from apps.engine.values.plan import OrderPlan
from apps.feed.backfill import listed_symbols
from apps.feed.universe import streamed_symbols, watched_symbols
from apps.market import store as market
from apps.market.models import Contract
from tests.live.desk import PLAIN
from tests.rooms.builders import contract
from tests.rooms.fill_trading import ledger
from tests.rooms.trades import ACCOUNT, NOW, at, order, plan, position

PROFILES = [PLAIN]

pytestmark = pytest.mark.django_db


def claimed(symbol: str) -> OrderPlan:
    """A plan that may have been sent: its order is in doubt, its symbol locked."""
    claimed_plan = plan(symbol)
    assert isinstance(ledger().claim(claimed_plan, NOW), Claimed)
    return claimed_plan


def held(symbol: str) -> OrderPlan:
    claimed_plan = claimed(symbol)
    ledger().record(
        [
            events.OrderFilled(symbol=symbol, at=at(3), order=order(claimed_plan, OrderStatus.FILLED)),
            events.PositionOpened(symbol=symbol, at=at(3), position=position(claimed_plan)),
        ]
    )
    return claimed_plan


def listing(*symbols: str) -> None:
    market.save_contracts([contract(symbol) for symbol in symbols], NOW)


def test_what_the_books_hold_is_streamed_to_its_end_whatever_becomes_of_its_contract() -> None:
    listing("AUSDT", "BUSDT", "CUSDT", "DUSDT")
    traded = held("BUSDT")
    claimed("CUSDT")
    assert streamed_symbols(PROFILES, ACCOUNT, NOW) == ["AUSDT", "BUSDT", "CUSDT", "DUSDT"]
    listing("AUSDT")
    assert watched_symbols(PROFILES, NOW) == ["AUSDT"]
    assert streamed_symbols(PROFILES, ACCOUNT, NOW) == ["AUSDT", "BUSDT", "CUSDT"]
    Contract.objects.filter(symbol__in=["BUSDT", "CUSDT"]).delete()
    assert streamed_symbols(PROFILES, ACCOUNT, NOW) == ["AUSDT", "BUSDT", "CUSDT"]
    ledger().record(
        [
            events.PositionClosed(symbol="BUSDT", at=at(600), position=position(traded)),
            events.SymbolReleased(symbol="BUSDT", at=at(600), decision_key=traded.decision_key),
        ]
    )
    assert streamed_symbols(PROFILES, ACCOUNT, NOW) == ["AUSDT", "CUSDT"]
    assert streamed_symbols(PROFILES, "another account", NOW) == ["AUSDT"]


def test_a_backfill_of_everything_leaves_out_what_is_delisted_unless_it_is_named() -> None:
    listing("AUSDT", "BUSDT")
    listing("AUSDT")
    assert listed_symbols([]) == ["AUSDT"]
    assert listed_symbols(["BUSDT"]) == ["BUSDT"]
