"""MFE and MAE in the orders room: what is still to be measured, and what was."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.engine import events
from apps.engine.follow.excursion import Excursion
from apps.engine.values.order import OrderStatus
from apps.engine.values.position import Side
from apps.orders import store as orders
from apps.orders.models import Position
from tests.rooms.fill_trading import ledger
from tests.rooms.trades import ACCOUNT, NOW, at, fill, order, plan, position

pytestmark = pytest.mark.django_db

D = Decimal
FOUND = Excursion(D("103.5"), D("99.5"), D("3.5"), D("0.5"), D("3.5"), D("0.5"))


@pytest.fixture
def closed() -> Position:
    """In at 3 s, out at 600 s, seen flat at 602 s."""
    traded = plan()
    ledger().claim(traded, NOW)
    ledger().record(
        [
            events.OrderFilled(symbol=traded.symbol, at=at(3), order=order(traded, OrderStatus.FILLED)),
            events.FillSeen(symbol=traded.symbol, at=at(4), fill=fill(traded, "t1", at=at(2))),
            events.PositionOpened(symbol=traded.symbol, at=at(4), position=position(traded)),
            events.FillSeen(symbol=traded.symbol, at=at(601), fill=fill(traded, "t2", opens=False)),
            events.PositionClosed(symbol=traded.symbol, at=at(602), position=position(traded)),
        ]
    )
    return Position.objects.get()


def unmeasured(account: str = ACCOUNT) -> list[orders.ClosedPosition]:
    return orders.positions_without_excursion(account, closed_since=at(602) - timedelta(days=1))


def test_a_closed_position_is_measured_from_its_first_to_its_last_trade(closed: Position) -> None:
    assert unmeasured() == [
        orders.ClosedPosition(closed.pk, "BTCUSDT", Side.LONG, D(100), D(99), began=at(2), ended=at(600))
    ]
    assert unmeasured("another:live") == []


def test_what_was_measured_is_measured_once(closed: Position) -> None:
    orders.save_excursion(closed.pk, FOUND)
    assert unmeasured() == []
    row = Position.objects.get()
    assert (row.best_price, row.worst_price) == (D("103.5"), D("99.5"))
    assert (row.mfe_pct, row.mae_pct, row.mfe_r, row.mae_r) == (D("3.5"), D("0.5"), D("3.5"), D("0.5"))
    assert row.realised_usdt == D("1.88")


def test_a_trade_that_comes_late_has_it_measured_again(closed: Position) -> None:
    orders.save_excursion(closed.pk, FOUND)
    closed.fills.filter(opens=False).update(size=D(999))
    late = fill(plan(), "t3", opens=False, size=D(1), at=at(601))
    ledger().record([events.FillLate(symbol="BTCUSDT", at=at(700), fill=late)])
    assert [held.ended for held in unmeasured()] == [at(601)]
    assert Position.objects.get().mfe_pct is None


def test_one_that_closed_too_long_ago_or_is_open_is_not_asked_for(closed: Position) -> None:
    assert orders.positions_without_excursion(ACCOUNT, closed_since=at(603)) == []
    Position.objects.update(status="PROTECTED", closed_at=None, size=1)
    assert unmeasured() == []
