"""How orders meet the market: who fills, at what price, how much, and what is left."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.exchange.simulator.codes import FOK, GTC, IOC, LIVE, LONG, MAKER_ONLY, OVER, SHORT
from apps.exchange.simulator.matching import orders
from apps.exchange.simulator.matching.matching import CANCELLED, MATCHED, SUBMITTED
from tests.simulator.handmade_exchange import HandmadeExchange


def prices(exchange: HandmadeExchange) -> list[tuple[str, int]]:
    return [(str(trade.price), trade.contracts) for trade in exchange.account.trades.values()]


def test_a_market_order_takes_the_far_side_level_by_level() -> None:
    exchange = HandmadeExchange()
    order = exchange.place(1, 250, leverage=50)
    assert (order.state, order.filled) == (OVER, 250)
    assert prices(exchange) == [("1000.1", 100), ("1000.2", 100), ("1000.3", 50)]
    assert exchange.actions == [SUBMITTED, MATCHED, MATCHED, MATCHED]
    assert not any(trade.maker for trade in exchange.account.trades.values())


def test_a_market_order_that_empties_the_book_is_cancelled_for_the_rest() -> None:
    exchange = HandmadeExchange(last=100)
    order = exchange.place(1, 700, leverage=50)
    assert (order.state, order.filled) == (OVER, 500)
    assert exchange.actions[-1] == CANCELLED


@pytest.mark.parametrize(
    ("mode", "price", "filled", "state"),
    [
        (GTC, "1000.2", 200, LIVE),
        (IOC, "1000.2", 200, OVER),
        (FOK, "1000.2", 0, OVER),
        (FOK, "1000.3", 250, OVER),
        (MAKER_ONLY, "1000.2", 0, OVER),
        (MAKER_ONLY, "1000.0", 0, LIVE),
        (GTC, "1000.0", 0, LIVE),
        (IOC, "1000.0", 0, OVER),
    ],
)
def test_each_mode_takes_what_it_may_and_rests_or_ends(
    mode: int, price: str, filled: int, state: int
) -> None:
    order = HandmadeExchange().place(1, 250, price, mode=mode, leverage=50)
    assert (order.filled, order.state) == (filled, state)


@pytest.mark.parametrize(
    ("side", "price", "touch", "through"), [(1, 990, 990, 989.9), (4, 1010, 1010, 1010.1)]
)
def test_a_resting_limit_fills_only_when_the_path_trades_through_it(
    side: int, price: object, touch: float, through: float
) -> None:
    exchange = HandmadeExchange()
    order = exchange.place(side, 10, price, leverage=10)
    exchange.move(touch)
    assert exchange.order(order).filled == 0
    exchange.move(through)
    assert exchange.order(order).filled == 10
    (trade,) = exchange.account.trades.values()
    assert (trade.price, trade.maker) == (Decimal(str(price)), True)


def test_resting_limits_together_get_a_tenth_of_a_minutes_volume_oldest_first() -> None:
    exchange = HandmadeExchange()
    first, second = (exchange.place(1, 20, 990, leverage=10) for _ in range(2))
    exchange.volume = 250
    exchange.move(980, 979)
    assert (exchange.order(first).filled, exchange.order(second).filled) == (20, 5)
    exchange.move(*[979] * 58)
    assert exchange.order(second).filled == 20
    assert exchange.order(second).updated_ms == 60_000


def test_a_better_price_is_filled_before_an_older_order() -> None:
    exchange = HandmadeExchange()
    worse, better = exchange.place(1, 20, 990, leverage=10), exchange.place(1, 20, 991, leverage=10)
    exchange.volume = 200
    exchange.move(980)
    assert (exchange.order(worse).filled, exchange.order(better).filled) == (0, 20)


def test_fees_are_a_takers_or_a_makers_and_go_off_the_wallet() -> None:
    exchange = HandmadeExchange()
    exchange.place(1, 100)
    exchange.place(1, 100, 990)
    exchange.move(980)
    taken, maker_trade = exchange.account.trades.values()
    assert taken.fee == Decimal("1000.1") * Decimal("0.1") * Decimal("0.0006")
    assert maker_trade.fee == Decimal(990) * Decimal("0.1") * Decimal("0.0002")
    assert exchange.account.wallet.cash == 1000 - taken.fee - maker_trade.fee


def test_hedged_sides_are_held_beside_each_other() -> None:
    exchange = HandmadeExchange()
    exchange.place(1, 30)
    exchange.place(4, 20)
    assert (exchange.held(LONG).size, exchange.held(SHORT).size) == (30, 20)
    exchange.place(3, 10)
    exchange.place(2, 20)
    assert (exchange.held(LONG).size, exchange.held(SHORT).size) == (20, 0)


def test_in_one_way_mode_a_larger_opposite_order_turns_the_position() -> None:
    exchange = HandmadeExchange()
    exchange.one_way()
    exchange.place(1, 30)
    exchange.move(1100)
    exchange.place(4, 50)
    assert (exchange.held(LONG).size, exchange.held(SHORT).size) == (0, 20)
    assert sum(trade.realised for trade in exchange.account.trades.values()) == Decimal("2.997")
    exchange.place(2, 500)
    assert exchange.held(SHORT).size == 0
    assert exchange.held(LONG).size == 0


def test_realised_profit_is_exact_over_partial_closes() -> None:
    exchange = HandmadeExchange()
    exchange.place(1, 100)
    exchange.move(1100.5)
    exchange.place(1, 200)
    for part in (7, 100, 193):
        exchange.place(3, part)
    opened = [trade for trade in exchange.account.trades.values() if trade.side == 1]
    closed = [trade for trade in exchange.account.trades.values() if trade.side == 3]
    spent, got = (sum(each.price * each.contracts for each in side) for side in (opened, closed))
    assert sum(trade.realised for trade in closed) == (got - spent) / 1000
    assert exchange.held(LONG).cost == 0


def test_an_amended_order_keeps_its_place_only_when_it_shrinks_at_its_price() -> None:
    exchange = HandmadeExchange()
    order = exchange.place(1, 20, 990)
    smaller = orders.amend_order(exchange.account, order, Decimal(990), 10, exchange.tick)
    assert (smaller.queued, smaller.state) == (order.queued, LIVE)
    dearer = orders.amend_order(exchange.account, smaller, Decimal(991), 10, exchange.tick)
    assert dearer.queued > order.queued
    assert dearer.order_id == order.order_id


def test_an_amended_order_that_now_crosses_takes() -> None:
    exchange = HandmadeExchange()
    order = exchange.place(1, 20, 990)
    exchange.matching.approve(
        orders.amend_order(exchange.account, order, Decimal("1000.1"), 20, exchange.tick), exchange.tick
    )
    assert exchange.order(order).state == OVER
    assert prices(exchange) == [("1000.1", 20)]


def test_partial_fills_can_be_forced() -> None:
    exchange = HandmadeExchange(fill_at_most=3)
    order = exchange.place(1, 10, 990)
    exchange.move(980, 980)
    assert exchange.order(order).filled == 6
    assert exchange.place(1, 10).filled == 3
