"""When the dead man's switch of a symbol is armed, renewed and disarmed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.engine.follow.dead_man import dead_man_timeout_s
from apps.engine.values.book import ExchangeBook, SymbolBook, TrackedOrder
from apps.engine.values.order import OrderReport, OrderStatus
from apps.engine.values.position import Side
from tests.engine.trade_builder import NOW, SYMBOL, D, at, planned

ARM, DISARM = 60, 0
OURS = TrackedOrder.of(planned())


def step(status: OrderStatus, armed_s: float | None, *, others: bool = False) -> int | None:
    """With one order of ours, armed at that second of our clock, looked at 30 s after the plan."""
    book = SymbolBook(SYMBOL, orders=(replace(OURS, status=status),))
    report = OrderReport("1", "hand", SYMBOL, Side.SHORT, True, D(60_000), D(1), D(0), D(0), True, NOW)
    seen = ExchangeBook(SYMBOL, orders_at=at(30), orders=(report,) if others else ())
    return dead_man_timeout_s(book, seen, None if armed_s is None else at(armed_s), at(30))


@pytest.mark.parametrize("status", [OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED, OrderStatus.UNKNOWN])
def test_what_may_rest_is_armed_and_renewed_each_25_seconds(status: OrderStatus) -> None:
    assert step(status, None) == ARM
    assert step(status, 5.1) is None
    assert step(status, 5) == ARM
    assert step(status, -100) == ARM


@pytest.mark.parametrize("status", [OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.EXPIRED])
def test_what_is_over_is_disarmed_once_unless_it_has_fired_for_certain(status: OrderStatus) -> None:
    assert step(status, 25) == DISARM
    assert step(status, None) is None
    assert step(status, -54) == DISARM, "25 s ago for all we know, if who armed it is gone"
    assert step(status, -55) is None


def test_beside_an_order_of_somebody_else_it_is_never_armed_and_disarmed_at_once() -> None:
    assert step(OrderStatus.SUBMITTED, None, others=True) is None
    assert step(OrderStatus.SUBMITTED, 29, others=True) == DISARM


def test_while_the_open_orders_are_not_known_nothing_changes() -> None:
    book = SymbolBook(SYMBOL, orders=(replace(OURS, status=OrderStatus.SUBMITTED),))
    assert dead_man_timeout_s(book, ExchangeBook(SYMBOL), None, at(30)) is None
    assert dead_man_timeout_s(SymbolBook(SYMBOL), ExchangeBook(SYMBOL), at(29), at(30)) is None
