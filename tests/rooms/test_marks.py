"""Mark price and unrealised result beside a position: told to people, and no change to what trades."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.engine import events
from apps.engine.values.position import PositionReport, Side
from apps.orders import store as orders
from apps.orders.models import Position
from tests.rooms.fill_trading import ledger
from tests.rooms.trades import ACCOUNT, at, plan, position

pytestmark = pytest.mark.django_db
D = Decimal
REPORT = PositionReport("BTCUSDT", Side.LONG, D(1), D(100), at(3), D(100), D("0.5"))


@pytest.fixture(autouse=True)
def _held() -> None:
    held = position(plan())
    ledger().record([events.PositionOpened(symbol="BTCUSDT", at=at(3), position=held)])


def marked() -> tuple[Decimal | None, Decimal | None]:
    row = Position.objects.get()
    return row.mark_price, row.unrealised_usdt


def test_they_are_stored_and_change_no_book() -> None:
    before = orders.book(ACCOUNT, "BTCUSDT", at(10))
    orders.PositionMarks(ACCOUNT).save([REPORT], at(10))
    assert (marked(), Position.objects.get().marked_at) == ((D(100), D("0.5")), at(10))
    assert orders.book(ACCOUNT, "BTCUSDT", at(10)) == before


def test_they_are_written_again_after_five_seconds_or_when_the_mark_moved_noticeably() -> None:
    marks = orders.PositionMarks(ACCOUNT)
    marks.save([REPORT], at(10))
    marks.save([replace(REPORT, mark_price=D("100.09"))], at(11))
    assert marked()[0] == D(100)
    marks.save([replace(REPORT, mark_price=D("100.2"))], at(12))
    assert marked()[0] == D("100.2")
    marks.save([replace(REPORT, mark_price=D("100.21"))], at(17))
    assert marked()[0] == D("100.21")


def test_what_the_exchange_does_not_tell_is_not_known() -> None:
    marks = orders.PositionMarks(ACCOUNT)
    marks.save([REPORT], at(10))
    marks.save([replace(REPORT, mark_price=None, unrealised=None)], at(11))
    assert marked() == (None, None)


def test_a_number_no_column_holds_is_left_out_and_tried_again() -> None:
    marks = orders.PositionMarks(ACCOUNT)
    marks.save([replace(REPORT, unrealised=D("1e30"))], at(10))
    assert marked() == (None, None)
    marks.save([REPORT], at(11))
    assert marked() == (D(100), D("0.5"))


def test_a_closed_position_has_none() -> None:
    orders.PositionMarks(ACCOUNT).save([REPORT], at(10))
    held = position(plan())
    ledger().record([events.PositionClosed(symbol="BTCUSDT", at=at(12), position=held)])
    orders.PositionMarks(ACCOUNT).save([REPORT], at(20))
    assert (marked(), Position.objects.get().marked_at) == ((None, None), None)
