"""An order's life: whatever the exchange reports, in whatever order, it stays legal and only moves on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.follow.orders import LIVE, merged_order, next_status, order_after_report
from apps.engine.values.book import TrackedOrder
from apps.engine.values.order import TRANSITIONS, OrderReport, OrderStatus
from tests.engine.trade_builder import D, at, planned

S = OrderStatus
ORDER = TrackedOrder.of(planned())
SIZE = ORDER.size


def report(filled: str | Decimal, *, is_open: bool, now: datetime | None = None) -> OrderReport:
    return OrderReport(
        exchange_order_id="x1",
        client_order_id=ORDER.client_order_id,
        symbol=ORDER.symbol,
        side=ORDER.side,
        opens=True,
        price=ORDER.price,
        size=SIZE,
        filled=D(filled),
        average_price=ORDER.price if D(filled) else D(0),
        open=is_open,
        updated_at=now or at(1),
    )


REPORTS = st.builds(report, st.integers(0, int(SIZE)).map(Decimal), is_open=st.booleans())
MOMENTS = st.integers(0, 120).map(at)


@given(st.sampled_from(S), st.lists(st.tuples(REPORTS, MOMENTS), max_size=12))
def test_any_sequence_of_reports_leads_to_a_legal_life(
    begun: OrderStatus, told: list[tuple[OrderReport, datetime]]
) -> None:
    order = replace(ORDER, status=begun)
    for heard, now in told:
        before, order = order, order_after_report(order, heard, now)
        assert order.status == before.status or order.status in TRANSITIONS[before.status]
        assert order.filled >= before.filled
        assert order.filled <= order.size
        if before.status not in LIVE and order.filled == before.filled and not heard.open:
            assert order.status == before.status
        if order.filled > before.filled:
            assert order.status not in {S.REJECTED, S.DENIED, S.NEVER_ARRIVED}


@given(REPORTS, MOMENTS)
def test_the_same_report_twice_changes_nothing_more(heard: OrderReport, now: datetime) -> None:
    once = order_after_report(replace(ORDER, status=S.SUBMITTED), heard, now)
    assert order_after_report(once, heard, now) == once


@pytest.mark.parametrize(
    ("status", "filled", "is_open", "becomes"),
    [
        (S.SUBMITTING, "0", True, S.SUBMITTED),
        (S.SUBMITTING, "14", False, S.FILLED),
        (S.UNKNOWN, "3", True, S.PARTIALLY_FILLED),
        (S.SUBMITTED, "0", False, S.CANCELLED),
        (S.PARTIALLY_FILLED, "5", False, S.CANCELLED),
        (S.CANCELLED, "14", False, S.FILLED),
        (S.CANCELLED, "0", True, S.SUBMITTED),
        (S.EXPIRED, "0", False, S.EXPIRED),
        (S.NEVER_ARRIVED, "1", True, S.PARTIALLY_FILLED),
        (S.REJECTED, "14", False, S.FILLED),
        (S.DENIED, "2", False, S.CANCELLED),
        (S.FILLED, "0", True, S.FILLED),
    ],
)
def test_what_the_numbers_mean(status: OrderStatus, filled: str, is_open: bool, becomes: OrderStatus) -> None:
    known = replace(ORDER, status=status, filled=SIZE if status == S.FILLED else D(0))
    assert order_after_report(known, report(filled, is_open=is_open), at(5)).status == becomes


def test_an_order_that_ended_at_its_time_expired_and_before_it_was_cancelled() -> None:
    resting = replace(ORDER, status=S.SUBMITTED)
    assert order_after_report(resting, report("0", is_open=False), at(60)).status == S.EXPIRED
    assert order_after_report(resting, report("0", is_open=False), at(59)).status == S.CANCELLED
    partly = order_after_report(resting, report("3", is_open=False), at(60))
    assert (partly.status, partly.filled) == (S.EXPIRED, D(3))


def test_a_finished_order_comes_back_only_where_the_exchange_shows_that_it_rests() -> None:
    ended = order_after_report(replace(ORDER, status=S.SUBMITTED), report("5", is_open=False), at(9))
    assert order_after_report(ended, report("5", is_open=False), at(10)) == ended
    assert order_after_report(ended, report("2", is_open=True), at(10)) == ended, "an old report"
    assert order_after_report(ended, report("5", is_open=True), at(10)).status == S.PARTIALLY_FILLED


def test_a_senders_late_word_does_not_revive_what_ended_meanwhile() -> None:
    ended = replace(ORDER, status=S.CANCELLED)
    acknowledged = replace(ORDER, status=S.SUBMITTED, exchange_order_id="x1")
    assert merged_order(ended, acknowledged, read_back=False).status == S.CANCELLED
    assert merged_order(ended, acknowledged).status == S.SUBMITTED


@given(st.sampled_from(S), st.sampled_from(S))
def test_a_status_only_becomes_what_the_table_allows(now: OrderStatus, told: OrderStatus) -> None:
    assert next_status(now, told) in {now} | TRANSITIONS[now]


def test_news_that_began_from_an_older_row_takes_nothing_back() -> None:
    watched = replace(ORDER, status=S.FILLED, filled=SIZE, average_price=D(5), exchange_order_id="x1")
    late_answer = replace(ORDER, status=S.UNKNOWN)
    assert merged_order(watched, late_answer) == watched
    acknowledged = replace(ORDER, status=S.SUBMITTED, exchange_order_id="x1")
    cancelling = replace(ORDER, status=S.SUBMITTING, cancel_asked_at=at(3), looked_up=2, absent_reads=1)
    both = merged_order(cancelling, acknowledged)
    assert (both.status, both.exchange_order_id, both.cancel_asked_at) == (S.SUBMITTED, "x1", at(3))
    assert (both.looked_up, both.absent_reads) == (2, 1)


def test_a_cancel_asked_again_is_remembered_at_its_new_time() -> None:
    cancelling = replace(ORDER, status=S.SUBMITTED, cancel_asked_at=at(3))
    assert merged_order(cancelling, replace(cancelling, cancel_asked_at=at(5))).cancel_asked_at == at(5)
