"""The worst-case rules: what a candle leaves open goes against the account; off unless asked for."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.exchange.simulator.account.rows import Presets
from apps.exchange.simulator.codes import LONG, OVER, SHORT
from apps.exchange.simulator.matching.matching import Rules
from tests.simulator.handmade_exchange import HandmadeExchange

D = Decimal
BPS = D(5)


def handmade(*, pessimistic: bool = True) -> HandmadeExchange:
    exchange = HandmadeExchange()
    exchange.matching.rules = Rules.worst_case(BPS) if pessimistic else Rules()
    return exchange


def exits(exchange: HandmadeExchange) -> list[Decimal]:
    return [trade.price for trade in exchange.account.trades.values() if trade.side in (2, 3)]


@pytest.mark.parametrize(
    ("side", "stop", "target", "reach", "stopped_at"),
    [
        # the bid at 990, x 0.9995 = 989.505, down to the tick
        (1, 990, 1010, (985, 1015), D("989.5")),
        # the ask at 1010.1, x 1.0005 = 1010.60505, up to the tick
        (4, 1010, 990, (985, 1015), D("1010.7")),
    ],
)
def test_a_minute_that_reaches_both_ends_at_the_stop(
    side: int, stop: int, target: int, reach: tuple[int, int], stopped_at: Decimal
) -> None:
    exchange = handmade()
    exchange.place(side, 10, presets=Presets(D(target), 1, D(stop), 1))
    exchange.reach = (D(reach[0]), D(reach[1]))
    exchange.move(target)
    assert exits(exchange) == [stopped_at]
    assert exchange.held(LONG if side == 1 else SHORT).size == 0
    assert {plan.state for plan in exchange.account.plans.values()} == {OVER}


@pytest.mark.parametrize(
    ("pessimistic", "reach"), [(True, (991, 1015)), (False, (985, 1015))], ids=["not both", "not asked for"]
)
def test_otherwise_the_target_that_is_reached_closes(pessimistic: bool, reach: tuple[int, int]) -> None:
    exchange = handmade(pessimistic=pessimistic)
    exchange.place(1, 10, presets=Presets(D(1010), 1, D(990), 1))
    exchange.reach = (D(reach[0]), D(reach[1]))
    exchange.move(1010)
    assert exits(exchange) == [D(1010)]


@pytest.mark.parametrize(("pessimistic", "price"), [(True, D("984.5")), (False, D(985))])
def test_a_stop_that_is_passed_gets_the_book_and_its_slippage(pessimistic: bool, price: Decimal) -> None:
    exchange = handmade(pessimistic=pessimistic)
    exchange.place(1, 10, presets=Presets(D(1010), 1, D(990), 1))
    exchange.move(985)
    assert exits(exchange) == [price]


@pytest.mark.parametrize(("pessimistic", "fills_at"), [(True, D("998.8")), (False, D("998.9"))])
def test_a_resting_limit_fills_when_traded_through_by_so_many_ticks(
    pessimistic: bool, fills_at: Decimal
) -> None:
    exchange = handmade(pessimistic=pessimistic)
    resting = exchange.place(1, 10, 999)
    exchange.move(fills_at + D("0.1"))
    assert exchange.order(resting).filled == 0
    exchange.move(fills_at)
    assert exchange.order(resting).filled == 10
