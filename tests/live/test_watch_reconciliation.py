"""The two books compared: what others did, money, clock, mode, gaps."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.engine.ports.account import AccountNews
from apps.engine.values.position import PositionMode, Side
from apps.exchange.simulator import exchange
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.path import TICKS
from apps.live.models import WatchState
from apps.orders.models import AccountTransaction, EquityPoint, Fill, Position, RiskDay
from tests.contract import account as exchange_account
from tests.live.watching import SYMBOL, D, House, told

FUNDING = 3
"""The exchange's number for lines of funding."""


def earned(house: House, symbol: str = SYMBOL) -> Decimal:
    """What the exchange booked for the symbol, transfers aside."""
    lines = [line for line in house.books()["ledger"] if line["symbol"] == symbol]
    return sum((D(line["amount"]) for line in lines), D(0))


@pytest.mark.parametrize("side", list(Side))
def test_what_a_closed_position_earned_is_what_the_exchange_booked(house: House, side: Side) -> None:
    plan = house.enter(side=side)
    house.until(house.is_protected)
    house.trade_by_hand(side, opens=False, size=plan.size)
    house.until(house.is_free)
    position = Position.objects.get()
    assert position.realised_usdt == earned(house)
    assert position.realised_usdt != 0
    assert RiskDay.objects.get().realised_usdt == position.realised_usdt
    assert Fill.objects.filter(position=position).count() == len(house.books()["fills"])


def test_funding_while_a_position_is_held_belongs_to_its_result(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "FUNDING_TICKS", TICKS)
    plan = house.enter()
    house.until(house.is_protected)
    house.until(lambda: house.exchange.clock().second >= 1)  # a clock a whole minute off is refused
    seconds = 60.1 - house.exchange.clock().second
    house.exchange.clock.push(seconds)
    house.clock.push(seconds)
    funding = [D(line["amount"]) for line in house.books()["ledger"] if line["flow_type"] == FUNDING]
    assert len(funding) == 1
    house.trade_by_hand(Side.LONG, opens=False, size=plan.size)
    house.until(house.is_free)
    house.clock.push(61)
    house.until(lambda: Position.objects.get().realised_usdt == earned(house))
    position = Position.objects.get()
    assert position.funding_usdt == funding[0]
    assert position.fees_usdt > 0


def test_the_ledger_is_stored_line_by_line_once_and_equity_each_minute(house: House) -> None:
    house.enter()
    house.until(house.is_protected)
    house.clock.push(61)
    house.until(lambda: EquityPoint.objects.count() == 2)
    house.clock.push(61)
    house.until(lambda: EquityPoint.objects.count() == 3)
    lines = sorted(D(line["amount"]) for line in house.books()["ledger"])
    assert sorted(AccountTransaction.objects.values_list("amount", flat=True)) == lines
    assert len(lines) > 1


def test_a_position_opened_by_hand_is_reported_blocks_its_symbol_and_is_left_alone(house: House) -> None:
    house.broker.set_leverage(SYMBOL, 5)
    house.trade_by_hand(Side.LONG, opens=True)
    house.until(lambda: house.position_status() == "FOREIGN")
    assert house.ledger.state([SYMBOL], house.clock()).symbol(SYMBOL).occupied
    house.clock.push(6)
    house.work(0.5)
    assert house.books()["protections"] == []
    assert len(house.books()["positions"]) == 1
    assert told().count("position_foreign") == 1
    house.trade_by_hand(Side.LONG, opens=False)
    house.until(lambda: house.position_status() == "CLOSED")
    assert not house.ledger.state([SYMBOL], house.clock()).symbol(SYMBOL).occupied


def test_a_clock_that_drifts_makes_the_venue_unhealthy_until_it_is_right(house: House) -> None:
    house.exchange.switch(clock_skew_ms=4000)
    house.clock.push(61)
    house.until(lambda: house.health().unhealthy)
    assert "4.0 s" in house.health().unhealthy
    house.exchange.switch(clock_skew_ms=0)
    house.clock.push(61)
    house.until(lambda: not house.health().unhealthy)


def test_the_position_mode_is_set_at_the_start_when_nothing_is_open(archive: Archive, db: None) -> None:
    with exchange_account.opened(archive) as exchange:
        exchange.broker.set_position_mode(PositionMode.ONE_WAY)
        house = House(exchange)
        house.until(lambda: house.health().reconciled)
        assert house.books()["position_mode"] == "hedge_mode"
        assert house.health().unhealthy == ""


def test_a_position_mode_that_cannot_be_set_refuses_entries(archive: Archive, db: None) -> None:
    with exchange_account.opened(archive) as exchange:
        exchange.broker.set_position_mode(PositionMode.ONE_WAY)
        exchange.broker.set_leverage(SYMBOL, 5)
        house = House(exchange)
        house.trade_by_hand(Side.LONG, opens=True)
        house.until(lambda: house.health().unhealthy)
        assert "position mode is one_way" in house.health().unhealthy


def test_a_long_private_gap_refuses_entries_until_everything_was_compared(house: House) -> None:
    house.exchange.switch(user_silence=True)
    house.clock.push(21)
    house.until(lambda: WatchState.objects.get().reconciled_at is None)
    points = EquityPoint.objects.count()
    house.clock.push(61)
    house.until(lambda: EquityPoint.objects.count() > points)
    assert WatchState.objects.get().reconciled_at is None
    house.clock.push(-82)
    assert not house.health().reconciled
    house.exchange.switch(user_silence=False)
    house.until(lambda: house.health().reconciled)


def test_a_gap_after_an_interruption_that_was_not_compared_yet_refuses_entries_too(house: House) -> None:
    """The comparison after a reconnection leaves the books believed; the silence after it does not."""
    house.until(lambda: house.health().reconciled)
    house.watch.handle_news(AccountNews(None, house.clock(), reconnected=True))
    house.deafen()
    house.clock.push(21)
    house.until(lambda: WatchState.objects.get().reconciled_at is None)
    assert not house.health().reconciled
