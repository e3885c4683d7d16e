"""The exchange's numbers are finer than our columns: what is stored still adds up, and is found again."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from apps.audit.models import TradeLifecycleEvent
from apps.engine import events
from apps.engine.follow.reconcile import Differences, compare
from apps.engine.values.book import ExchangeBook
from apps.engine.values.order import OrderReport, OrderStatus, ProtectionKind, ProtectionReport
from apps.engine.values.position import (
    Account,
    PositionReport,
    PositionStatus,
    Side,
    Transaction,
    TransactionKind,
)
from apps.orders import store as orders
from apps.orders.models import (
    AccountTransaction,
    EquityPoint,
    ExchangeOrder,
    OrderPlan,
    Position,
    Protection,
    RiskDay,
)
from tests.rooms.fill_trading import ledger
from tests.rooms.trades import ACCOUNT, NOW, at, fill, order, plan, position
from tests.rooms.unwritable import unwritable

pytestmark = pytest.mark.django_db

D = Decimal
BTC = "BTCUSDT"
DIGITS, LARGEST = 28, 15
"""Significant digits the exchange sends; powers of ten that money stays below."""

seen_in_the_rooms = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def numbers(lowest: int, highest: int) -> st.SearchStrategy[Decimal]:
    """Positive, of up to 28 significant digits, the first of them between these powers of ten."""
    digits = st.integers(1, 10**DIGITS - 1)
    leading = st.integers(lowest, highest)
    return st.builds(lambda number, power: D(f"{number}e{power - len(str(number)) + 1}"), digits, leading)


money = st.one_of(st.just(D(0)), numbers(-30, LARGEST - 1), numbers(-30, LARGEST - 1).map(lambda one: -one))


@seen_in_the_rooms
@given(st.builds(Account, money, money, money, money))
@example(
    Account(
        D("616.3324442009524444444444444"),
        D("193.0981601813334444444444444"),
        D("190.3042424137144444444444444"),
        D("-0.38595"),
    )
)
def test_an_equity_point_is_always_stored_and_adds_up_exactly(worth: Account) -> None:
    orders.save_equity(ACCOUNT, worth, NOW)
    row = EquityPoint.objects.get()
    parts = ("available", "frozen", "position_margin", "unrealised")
    assert row.equity == sum((getattr(row, name) for name in parts), D(0))
    for name in parts:
        assert abs(getattr(row, name) - getattr(worth, name)) <= D("5e-13")


def report(**changes: Decimal) -> PositionReport:
    columns = {each.name: D(1) for each in fields(PositionReport)} | {
        "symbol": BTC,
        "side": Side.LONG,
        "size": D(1000),
        "opened_at": at(3),
    }
    return PositionReport(**(columns | changes))  # type: ignore[arg-type]


@seen_in_the_rooms
@given(average=numbers(-9, 9), size=numbers(-3, 9), share=st.sampled_from([D(1), D("0.5"), 1 / D(3)]))
@example(average=D("0.00001234567890123456789012345678"), size=D(3), share=D(1))
def test_what_was_just_stored_does_not_differ_from_what_was_read(
    average: Decimal, size: Decimal, share: Decimal
) -> None:
    """A difference would be told, and written, at every read."""
    Position.objects.all().delete()
    traded = plan()
    tracked = order(traded, decision_key="")
    read = orders.round_report(
        OrderReport(
            exchange_order_id=tracked.exchange_order_id,
            client_order_id=tracked.client_order_id,
            symbol=BTC,
            side=Side.LONG,
            opens=True,
            price=D(100),
            size=size,
            filled=size * share,
            average_price=average,
            open=True,
            updated_at=NOW,
        )
    )
    ExchangeOrder.objects.all().delete()
    now_known = {"size": read.size, "filled": read.filled, "average_price": read.average_price}
    filled = replace(tracked, status=OrderStatus.PARTIALLY_FILLED, **now_known)
    held = orders.round_report(report(size=size * share, entry_price=average))
    opened = position(traded, size=held.size, entry_price=held.entry_price)
    ledger().record(
        [
            events.OrderFilled(symbol=BTC, at=NOW, order=filled),
            events.PositionOpened(symbol=BTC, at=NOW, position=opened),
        ]
    )
    book = orders.book(ACCOUNT, BTC, NOW)
    seen = ExchangeBook(BTC, at(5), positions=(held,), orders=(replace(read, size=2 * read.size),))
    assert compare(book, seen, at(9)) == Differences()


def test_a_line_that_no_column_holds_keeps_no_other_from_being_stored() -> None:
    lines = [
        Transaction(f"f{n}", TransactionKind.FUNDING, amount, BTC, at(n))
        for n, amount in enumerate((D("-0.01"), D("1e20"), D("-0.02")))
    ]
    assert orders.save_transactions(ACCOUNT, lines) == [lines[1]]
    assert set(AccountTransaction.objects.values_list("transaction_id", flat=True)) == {"f0", "f2"}
    mended = replace(lines[1], amount=D("-1"))
    assert orders.save_transactions(ACCOUNT, [lines[0], mended, lines[2]]) == []
    assert AccountTransaction.objects.count() == 3


def test_a_trade_that_no_row_holds_keeps_its_position_from_nothing() -> None:
    traded = plan()
    ledger().claim(traded, NOW)
    free = fill(traded, "t0", price=D(0))
    ledger().record(
        [
            events.OrderFilled(symbol=BTC, at=at(3), order=order(traded, OrderStatus.FILLED)),
            events.FillSeen(symbol=BTC, at=at(3), fill=free),
            events.FillSeen(symbol=BTC, at=at(3), fill=fill(traded, "t1")),
            events.PositionOpened(symbol=BTC, at=at(3), position=position(traded)),
        ]
    )
    book = orders.book(ACCOUNT, BTC, at(4))
    assert (len(book.positions), book.trade_ids) == (1, {"t1"})
    names = TradeLifecycleEvent.objects.order_by("id").values_list("event_type", flat=True)
    assert list(names) == ["order_filled", "fill", "position_opened"]


def test_a_protection_that_no_row_holds_keeps_no_other_from_being_taken_over() -> None:
    stop = ProtectionReport("p1", "", BTC, Side.LONG, ProtectionKind.STOP, D(99), D(0))
    target = replace(
        stop, exchange_order_id="p2", kind=ProtectionKind.TARGET, trigger_price=D(102), size=None
    )
    orders.sync_protections(ACCOUNT, BTC, [stop, target], NOW)
    assert list(Protection.objects.values_list("exchange_order_id", flat=True)) == ["p2"]


def test_a_result_that_cannot_be_written_keeps_no_position_open_and_is_reckoned_later() -> None:
    traded = plan()
    ledger().claim(traded, NOW)
    closes = [
        events.FillSeen(symbol=BTC, at=at(600), fill=fill(traded, "t2", opens=False, size=D(999))),
        events.PositionClosed(symbol=BTC, at=at(602), position=position(traded, PositionStatus.CLOSED)),
    ]
    ledger().record(
        [
            events.OrderFilled(symbol=BTC, at=at(3), order=order(traded, OrderStatus.FILLED)),
            events.FillSeen(symbol=BTC, at=at(3), fill=fill(traded, "t1")),
            events.PositionOpened(symbol=BTC, at=at(3), position=position(traded)),
        ]
    )
    with unwritable("risk_day"):
        ledger().record(closes)
        assert Position.objects.get().status == PositionStatus.CLOSED
        assert Position.objects.get().exit_price is None
    orders.save_missing_results(ACCOUNT, since=NOW)
    assert RiskDay.objects.get().realised_usdt == Position.objects.get().realised_usdt == D("1.88")
    with unwritable("risk_day"):
        late = fill(traded, "t3", opens=False, size=D(1), realised=D(1))
        ledger().record([events.FillLate(symbol=BTC, at=at(700), fill=late)])
        assert Position.objects.get().realised_usdt == D("1.88")
    orders.save_missing_results(ACCOUNT, since=NOW)
    assert RiskDay.objects.get().realised_usdt == Position.objects.get().realised_usdt == D("2.82")


def test_a_review_that_cannot_end_keeps_no_other_waiting() -> None:
    """One symbol holds a position of ours meanwhile: its lock stays, and so does its plan."""
    for symbol in (BTC, "ETHUSDT"):
        ledger(review=True).claim(plan(symbol), NOW)
    adopted = position(plan(), PositionStatus.NAKED, decision_key="", stop=None, target=None)
    ledger().record([events.PositionOpened(symbol=BTC, at=NOW, position=adopted)])
    assert orders.expire_reviews(ACCOUNT, older_than=at(1), now=at(901)) == 1
    statuses = dict(OrderPlan.objects.values_list("symbol", "status"))
    assert statuses == {BTC: "PENDING_REVIEW", "ETHUSDT": "EXPIRED"}
    Position.objects.all().delete()
    assert orders.expire_reviews(ACCOUNT, older_than=at(1), now=at(902)) == 1


@pytest.mark.django_db(transaction=True)
def test_audit_rows_that_cannot_be_written_are_written_later_with_the_time_of_their_events() -> None:
    books, traded = ledger(), plan()
    books.claim(traded, NOW)
    with unwritable("trade_lifecycle_event"):
        books.record([events.OrderFilled(symbol=BTC, at=at(3), order=order(traded, OrderStatus.FILLED))])
        books.retry_unwritten()
        assert TradeLifecycleEvent.objects.count() == 0
    books.retry_unwritten()
    assert list(TradeLifecycleEvent.objects.values_list("happened_at", flat=True)) == [at(3)]
    books.retry_unwritten()
    assert TradeLifecycleEvent.objects.count() == 1
