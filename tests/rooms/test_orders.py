"""The orders room: what trades leave behind, and what the database refuses to believe."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from apps.audit.models import TradeLifecycleEvent
from apps.engine import events
from apps.engine.ports.account import Claimed
from apps.engine.values.book import TrackedOrder
from apps.engine.values.entry import NO_ENTRY_RULES
from apps.engine.values.exit import NO_EXIT_RULES
from apps.engine.values.order import OrderStatus, ProtectionKind, ProtectionReport
from apps.engine.values.plan import OrderPlan as Plan
from apps.engine.values.position import Account, PositionStatus, Side, Transaction, TransactionKind
from apps.orders import result, values
from apps.orders import store as orders
from apps.orders.models import (
    EquityPoint,
    ExchangeOrder,
    Fill,
    OrderPlan,
    Position,
    Protection,
    RiskDay,
    SymbolLock,
)
from tests.rooms.fill_trading import ledger
from tests.rooms.trades import ACCOUNT, NOW, at, fill, in_three, order, plan, position

pytestmark = pytest.mark.django_db

BTC = "BTCUSDT"
D = Decimal


def claim(traded: Plan) -> Plan:
    assert isinstance(ledger().claim(traded, NOW), Claimed)
    return traded


def happen(*happened: events.Event) -> None:
    ledger().record(happened)


def stored(now: datetime = NOW, account: str = ACCOUNT) -> orders.AccountExposure:
    return orders.account_exposure(account, [BTC], now, lambda symbols: dict.fromkeys(symbols, D("0.001")))


def filled(traded: Plan) -> events.Event:
    return events.OrderFilled(symbol=traded.symbol, at=at(3), order=order(traded, OrderStatus.FILLED))


def seen_fill(traded: Plan, trade_id: str, **changes: object) -> events.Event:
    return events.FillSeen(symbol=traded.symbol, at=at(3), fill=fill(traded, trade_id, **changes))


def opened(traded: Plan, **changes: object) -> events.Event:
    return events.PositionOpened(symbol=traded.symbol, at=at(3), position=position(traded, **changes))


def closed(traded: Plan, seconds: float = 602) -> events.Event:
    return events.PositionClosed(symbol=traded.symbol, at=at(seconds), position=position(traded))


def test_a_plan_comes_back_exactly_as_it_was_claimed() -> None:
    traded = claim(plan())
    assert values.plan_value(OrderPlan.objects.get()) == traded


def test_an_approved_plan_waits_for_its_claim_with_its_run_and_verdict() -> None:
    traded = plan()
    ledger(review=True, context={"verdict": {"side": "long"}}).claim(traded, NOW)
    assert orders.approved_plans(ACCOUNT) == []
    orders.approve(OrderPlan.objects.get().pk, actor="ada", now=at(5))
    [approved] = orders.approved_plans(ACCOUNT)
    assert (approved.plan, approved.context["verdict"]) == (traded, {"side": "long"})


@pytest.mark.parametrize("first", ["fill", "position"])
def test_the_result_is_the_fills_own_net_of_fees_and_funding(first: str) -> None:
    """In at 100, out at 102 with 1,000 contracts: 2 gross, 0.12 of fees, 0.01 of funding, at 1.2 of risk."""
    traded = claim(plan())
    begin = [seen_fill(traded, "t1"), opened(traded)]
    happen(filled(traded), *(begin if first == "fill" else reversed(begin)))
    orders.save_transactions(
        ACCOUNT,
        [
            Transaction("f1", TransactionKind.FUNDING, D("-0.01"), BTC, at(60)),
            Transaction("f1", TransactionKind.FUNDING, D("-0.5"), "ETHUSDT", at(60)),
            Transaction("f2", TransactionKind.FUNDING, D("-0.7"), BTC, at(9000)),
        ],
    )
    happen(seen_fill(traded, "t2", opens=False), closed(traded))
    row = Position.objects.get()
    assert (row.gross_usdt, row.fees_usdt, row.funding_usdt) == (2, D("0.12"), D("-0.01"))
    assert (row.realised_usdt, row.r_multiple, row.exit_price) == (D("1.87"), D("1.5583"), 102)
    assert (row.status, row.size, row.max_size) == (PositionStatus.CLOSED, 0, 1000)
    day = RiskDay.objects.get()
    assert (day.profile, day.trades, day.wins, day.realised_usdt) == ("regular", 1, 1, D("1.87"))


def test_a_fill_or_funding_that_comes_after_the_close_is_reckoned_in_once() -> None:
    traded = claim(plan())
    happen(filled(traded), seen_fill(traded, "t1"), opened(traded), closed(traded))
    assert Position.objects.get().realised_usdt == D("-0.06")
    for _ in range(2):
        happen(events.FillLate(symbol=BTC, at=at(700), fill=fill(traded, "t2", opens=False)))
        assert RiskDay.objects.get().realised_usdt == Position.objects.get().realised_usdt == D("1.88")
    for _ in range(2):
        orders.save_transactions(
            ACCOUNT, [Transaction("f1", TransactionKind.FUNDING, D("-0.01"), BTC, at(60))]
        )
        assert RiskDay.objects.get().realised_usdt == Position.objects.get().realised_usdt == D("1.87")


def test_risk_counts_in_proportion_when_only_part_filled() -> None:
    traded = claim(plan())
    half = order(traded, OrderStatus.CANCELLED, filled=D(500), average_price=D(100))
    happen(events.OrderCancelled(symbol=BTC, at=at(3), order=half), opened(traded, size=D(500)))
    assert Position.objects.get().risk_usdt == D("0.6")


def test_r_of_tranches_is_by_the_risk_of_those_that_filled_nearest_first() -> None:
    traded = claim(in_three())
    happen(opened(traded, size=D("650")))
    # all of the first and half of the second
    assert Position.objects.get().risk_usdt == D("0.65") + D("0.33") / 2


@pytest.mark.parametrize(
    ("statuses", "of_plan"),
    [
        (("FILLED", "SUBMITTED", "SUBMITTED"), "PARTIALLY_FILLED"),
        (("FILLED", "FILLED", "FILLED"), "FILLED"),
        (("FILLED", "EXPIRED", "EXPIRED"), "FILLED"),
        (("FILLED", "UNKNOWN", "DENIED"), "UNKNOWN"),
        (("SUBMITTED", "SUBMITTING", "SUBMITTING"), "SUBMITTING"),
        (("EXPIRED", "REJECTED", "DENIED"), "EXPIRED"),
        (("REJECTED", "DENIED", "DENIED"), "REJECTED"),
    ],
)
def test_a_plan_s_status_is_that_of_the_tranche_of_which_most_is_to_be_expected(
    statuses: tuple[str, ...], of_plan: str
) -> None:
    traded = claim(in_three())
    for tracked, status in zip(TrackedOrder.all_of(traded), statuses, strict=True):
        filled = tracked.size if status == "FILLED" else D(0)
        average = tracked.price if filled else D(0)
        news = replace(tracked, status=OrderStatus(status), filled=filled, average_price=average)
        if status == "EXPIRED":
            submitted = replace(tracked, status=OrderStatus.SUBMITTED)
            happen(events.OrderAcknowledged(symbol=BTC, at=at(1), order=submitted))
        happen(events.OrderResting(symbol=BTC, at=at(2), order=news, detail=f"as {status}"))
    stored_plan = OrderPlan.objects.get()
    assert stored_plan.status == of_plan
    without = of_plan in ("FILLED", "PARTIALLY_FILLED", "SUBMITTING")
    assert stored_plan.reason == ("" if without else f"as {of_plan}")


def test_prices_come_back_as_exactly_as_the_exchange_told_them() -> None:
    """Else every comparison of the two books would find a difference."""
    traded, average = claim(plan()), D(200) / D(3)
    happen(
        events.OrderFilled(
            symbol=BTC, at=at(3), order=order(traded, OrderStatus.FILLED, average_price=average)
        ),
        opened(traded, entry_price=average),
    )
    book = orders.book(ACCOUNT, BTC, NOW)
    assert (book.orders[0].average_price, book.positions[0].entry_price) == (average, average)


def test_an_order_of_ours_that_the_books_had_lost_is_adopted_and_followed() -> None:
    lost = order(plan(), decision_key="", profile="", timeframes=(), stop=None, target=None)
    happen(events.OrderAdopted(symbol=BTC, at=NOW, order=lost))
    assert orders.book(ACCOUNT, BTC, NOW).orders == (lost,)
    assert stored().symbols[BTC].occupied
    assert [exposure.notional for exposure in stored().exposures] == [100]


def test_fills_of_two_positions_in_a_row_are_not_mixed() -> None:
    first = claim(plan())
    happen(filled(first), seen_fill(first, "t1"), opened(first))
    happen(seen_fill(first, "t2", opens=False), closed(first))
    happen(events.SymbolReleased(symbol=BTC, at=at(603), decision_key=first.decision_key))
    second = claim(plan(n=1, created_at=at(900), send_before=at(910), expires_at=at(1000)))
    happen(
        events.OrderFilled(symbol=BTC, at=at(903), order=order(second, OrderStatus.FILLED)),
        seen_fill(second, "t3", at=at(903)),
        events.PositionOpened(symbol=BTC, at=at(903), position=position(second, opened_at=at(903))),
        seen_fill(second, "t4", opens=False, at=at(1200), realised=D(-1), price=D(99)),
        closed(second, 1201),
    )
    results = Position.objects.order_by("id").values_list("realised_usdt", flat=True)
    assert list(results) == [D("1.88"), D("-1.12")]
    assert stored().lost_today == {"regular": D("-0.76")}
    assert stored(NOW + timedelta(days=1)).lost_today == {}


def test_a_position_whose_closing_trades_are_late_counts_as_lost_at_its_stop_until_they_come() -> None:
    traded = claim(plan())
    happen(filled(traded), seen_fill(traded, "t1"), opened(traded), closed(traded))
    opening_fee = Fill.objects.get().fee
    assert stored().lost_today == {"regular": opening_fee + traded.sizing.risk}
    happen(seen_fill(traded, "t2", opens=False))
    assert stored().lost_today == {"regular": D("-1.88")}


def test_a_fill_of_an_order_not_yet_known_finds_it_later() -> None:
    traded = claim(plan())
    result.save_fills(ACCOUNT, [fill(traded, "t1")])
    assert Fill.objects.get().order is None
    happen(filled(traded))
    assert Fill.objects.get().order == ExchangeOrder.objects.get()


def test_hundreds_of_fills_are_written_in_as_few_statements_as_a_handful(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    traded = claim(plan())
    happen(filled(traded), opened(traded))
    parts = [seen_fill(traded, f"t{n}") for n in range(300)]
    with django_assert_max_num_queries(30):
        happen(*parts)
    known = Fill.objects.filter(position=Position.objects.get(), order=ExchangeOrder.objects.get())
    assert known.count() == 300
    happen(*parts)
    assert Fill.objects.count() == 300


def test_a_fill_that_cannot_be_written_keeps_no_other_from_it() -> None:
    traded = claim(plan())
    happen(filled(traded), opened(traded))
    happen(seen_fill(traded, "t1"), seen_fill(traded, "wrong", realised=D("1e30")), seen_fill(traded, "t2"))
    assert set(Fill.objects.values_list("trade_id", "position")) == {
        ("t1", Position.objects.get().pk),
        ("t2", Position.objects.get().pk),
    }
    assert TradeLifecycleEvent.objects.filter(event_type="fill").count() == 2


def test_a_lock_stays_while_anything_of_the_symbol_may_live() -> None:
    traded = claim(plan())
    release = events.SymbolReleased(symbol=BTC, at=at(9), decision_key=traded.decision_key)
    with pytest.raises(orders.NotClean, match=r"order .* is SUBMITTING"):
        happen(release)
    happen(filled(traded), opened(traded))
    with pytest.raises(orders.NotClean, match=r"position .* is NAKED"):
        happen(release)
    happen(closed(traded), release)
    assert SymbolLock.objects.get().released_at == at(9)


def report(
    kind: ProtectionKind, price: str, exchange_id: str = "s1", client_id: str = ""
) -> ProtectionReport:
    return ProtectionReport(exchange_id, client_id, BTC, Side.LONG, kind, D(price), None)


def test_a_protection_asked_for_is_confirmed_by_being_read_back() -> None:
    traded = claim(plan())
    request = events.ProtectionAsked(
        symbol=BTC,
        at=at(4),
        position=position(traded, stops_asked=1),
        kind=ProtectionKind.STOP,
        trigger_price=D(99),
        client_order_id="tv3s1",
    )
    happen(opened(traded), request)
    assert Protection.objects.get().status == "PLACING"
    assert "PLACING" not in str(Position.objects.get().status)
    orders.sync_protections(ACCOUNT, BTC, [report(ProtectionKind.STOP, "99", client_id="tv3s1")], at(5))
    orders.sync_protections(ACCOUNT, BTC, [report(ProtectionKind.STOP, "99", client_id="tv3s1")], at(6))
    row = Protection.objects.get()
    assert (row.status, row.confirmed_at, row.updated_at) == ("ACTIVE", at(5), at(5))
    assert (row.exchange_order_id, row.position) == ("s1", Position.objects.get())


def test_a_released_symbol_has_no_protection_left_in_the_books() -> None:
    traded = claim(plan())
    happen(filled(traded), seen_fill(traded, "t1"), opened(traded))
    orders.sync_protections(ACCOUNT, BTC, [report(ProtectionKind.STOP, "99")], at(5))
    release = events.SymbolReleased(symbol=BTC, at=at(603), decision_key=traded.decision_key)
    stopped = seen_fill(traded, "t2", opens=False, price=D("98.9"), realised=D("-1.1"))
    happen(stopped, closed(traded), release)
    assert Protection.objects.get().status == "TRIGGERED"
    assert not stored().symbols[BTC].occupied


def test_of_a_moved_stop_the_old_one_was_cancelled_and_a_first_target_that_is_gone_fired() -> None:
    traded = claim(plan())
    happen(filled(traded), seen_fill(traded, "t1"), opened(traded))
    first = replace(report(ProtectionKind.TARGET, "101", "first", "tv3t1"), size=D(500))
    asked = events.ProtectionAsked(
        symbol=BTC,
        at=at(4),
        position=position(traded),
        kind=first.kind,
        trigger_price=first.trigger_price,
        client_order_id="tv3t1",
        size=D(500),
    )
    happen(asked)
    assert Protection.objects.get().size == 500
    planned = [report(ProtectionKind.STOP, "99"), report(ProtectionKind.TARGET, "102", "t1")]
    orders.sync_protections(ACCOUNT, BTC, [*planned, first], at(5))
    half = position(traded, PositionStatus.PROTECTED, size=D(500))
    happen(events.PositionChanged(symbol=BTC, at=at(100), position=half))
    moved = replace(half, stop=D("100.1"), recalculated_at=at(183))
    happen(events.StopMoved(symbol=BTC, at=at(184), position=moved))
    tighter = report(ProtectionKind.STOP, "100.1", "s2")
    orders.sync_protections(ACCOUNT, BTC, [tighter, planned[1]], at(185))
    statuses = dict(Protection.objects.values_list("exchange_order_id", "status"))
    assert statuses == {"s1": "CANCELLED", "first": "TRIGGERED", "s2": "ACTIVE", "t1": "ACTIVE"}
    orders.sync_protections(ACCOUNT, BTC, [planned[1]], at(186))
    assert Protection.objects.get(exchange_order_id="s2").status == "LOST"


def test_a_position_says_which_rule_closed_it_and_its_r_is_of_the_risk_that_was_planned() -> None:
    traded = claim(plan())
    happen(filled(traded), seen_fill(traded, "t1"), opened(traded))
    moved = position(traded, PositionStatus.PROTECTED, stop=D("100.1"), close_reason="time stop")
    happen(events.StopMoved(symbol=BTC, at=at(200), position=moved))
    over = replace(moved, status=PositionStatus.CLOSED)
    happen(seen_fill(traded, "t2", opens=False), events.PositionClosed(symbol=BTC, at=at(602), position=over))
    row = Position.objects.get()
    assert (row.close_reason, row.stop_price, row.r_multiple) == ("time stop", D("100.1"), D("1.5667"))


def test_a_protection_that_vanishes_is_lost_while_held_and_fired_or_cancelled_after() -> None:
    traded = claim(plan())
    happen(filled(traded), seen_fill(traded, "t1"), opened(traded))
    both = [report(ProtectionKind.STOP, "99"), report(ProtectionKind.TARGET, "102", "t1")]
    orders.sync_protections(ACCOUNT, BTC, [*both, report(ProtectionKind.STOP, "98", "old")], at(5))
    orders.sync_protections(ACCOUNT, BTC, both, at(6))
    happen(seen_fill(traded, "t2", opens=False), closed(traded))
    orders.sync_protections(ACCOUNT, BTC, [], at(603))
    statuses = dict(Protection.objects.values_list("exchange_order_id", "status"))
    assert statuses == {"old": "LOST", "s1": "CANCELLED", "t1": "TRIGGERED"}


def test_what_we_did_not_open_counts_at_its_price_and_blocks_its_symbol() -> None:
    foreign = position(plan(), PositionStatus.FOREIGN, decision_key="", stop=None, target=None, size=D(10))
    happen(events.PositionForeign(symbol=BTC, at=NOW, position=foreign))
    [exposure] = stored().exposures
    assert (exposure.profile, exposure.notional, exposure.risk) == ("", 1, 0)
    assert stored().symbols[BTC].occupied
    assert orders.active_symbols(ACCOUNT) == [BTC]


def test_an_unanswered_plan_expires_and_an_answered_one_does_not() -> None:
    for symbol in (BTC, "ETHUSDT"):
        ledger(review=True).claim(plan(symbol), NOW)
    orders.approve(OrderPlan.objects.get(symbol=BTC).pk, actor="ada", now=at(5))
    assert orders.expire_reviews(ACCOUNT, older_than=NOW, now=at(900)) == 0
    assert orders.expire_reviews(ACCOUNT, older_than=at(1), now=at(901)) == 1
    assert orders.active_symbols(ACCOUNT) == [BTC]
    assert dict(OrderPlan.objects.values_list("symbol", "status")) == {BTC: "APPROVED", "ETHUSDT": "EXPIRED"}


def test_accounts_never_mix() -> None:
    traded = claim(plan())
    assert orders.active_symbols("bitmart:live") == []
    other = stored(account="bitmart:live")
    assert (other.exposures, other.symbols[BTC].locked_by, other.symbols[BTC].consumed) == ((), None, set())
    assert orders.book("bitmart:live", BTC, NOW).orders == ()
    assert orders.active_symbols(ACCOUNT) == [traded.symbol]


def test_fills_of_an_old_position_stay_known_as_long_as_it_is_held() -> None:
    traded = claim(plan())
    happen(filled(traded), seen_fill(traded, "t1"), opened(traded))
    assert orders.book(ACCOUNT, BTC, NOW + timedelta(days=30)).trade_ids == {"t1"}


def test_what_filled_stays_in_the_book_for_a_day_after_its_lock_ended_however_long_it_was_held() -> None:
    """By its prices an attached stop that a list shows only then is known, by its trades that it is over."""
    traded, held_s = claim(plan()), 3 * 86_400
    happen(filled(traded), seen_fill(traded, "t1"), opened(traded))
    over = seen_fill(traded, "t2", opens=False, at=at(held_s))
    release = events.SymbolReleased(symbol=BTC, at=at(held_s + 1), decision_key=traded.decision_key)
    happen(over, closed(traded, held_s), release)
    book = orders.book(ACCOUNT, BTC, at(held_s + 3600))
    assert [each.client_order_id for each in book.orders] == [traded.client_order_id]
    assert book.trade_ids == {"t1", "t2"}
    assert orders.book(ACCOUNT, BTC, at(held_s + 90_000)).orders == ()


def test_rules_that_cannot_be_read_are_none_and_leave_every_book_readable() -> None:
    traded, other = claim(plan()), claim(plan("ETHUSDT"))
    happen(filled(traded), seen_fill(traded, "t1"), opened(traded))
    ExchangeOrder.objects.filter(symbol=BTC).update(
        entry_json={"order_type": "iceberg"}, exit_json={"taker": "?"}
    )
    Position.objects.update(exit_json={"taker": "?"})
    books = orders.books(ACCOUNT, [BTC, "ETHUSDT"], NOW)
    assert (books[BTC].positions[0].exits, books[BTC].orders[0].entry_rules) == (
        NO_EXIT_RULES,
        NO_ENTRY_RULES,
    )
    assert (books[BTC].positions[0].stop, books[BTC].orders[0].stop) == (traded.stop, traded.stop)
    assert books["ETHUSDT"].orders[0].client_order_id == other.client_order_id


def test_a_plan_that_cannot_be_read_keeps_no_position_from_being_protected() -> None:
    traded = claim(in_three())
    OrderPlan.objects.update(exec_json={"scaled": "?"})
    happen(opened(traded, size=D(500)))
    row = Position.objects.get()
    assert (row.status, row.stop_price, row.risk_usdt) == (PositionStatus.NAKED, 99, D("0.6"))


def test_an_equity_point_adds_up() -> None:
    orders.save_equity(ACCOUNT, Account(D(900), D(10), D(100), D("-1.5")), NOW)
    assert EquityPoint.objects.get().equity == D("1008.5")
    with pytest.raises(IntegrityError, match="equity_point_sum"):
        EquityPoint.objects.update(equity=1)


@pytest.mark.parametrize(
    ("table", "change", "constraint"),
    [
        (OrderPlan, {"stop_price": 101}, "order_plan_prices"),
        (OrderPlan, {"target_price": 99}, "order_plan_prices"),
        (OrderPlan, {"size": 0}, "order_plan_positive"),
        (OrderPlan, {"reviewed_by": "ada"}, "order_plan_reviewed"),
        (ExchangeOrder, {"filled": 1001, "average_price": 100}, "exchange_order_filled"),
        (ExchangeOrder, {"filled": 0}, "exchange_order_average"),
        (Fill, {"price": 0}, "fill_positive"),
        (Position, {"size": 1001}, "position_size"),
        (Position, {"status": "CLOSED"}, "position_closed"),
        (Position, {"mfe_pct": 1}, "position_excursion"),
        (Position, {"mfe_r": 1}, "position_excursion"),
        (
            Position,
            {"best_price": 1, "worst_price": 1, "mfe_pct": -1, "mae_pct": 0},
            "position_excursion",
        ),
        (Protection, {"trigger_price": 0}, "protection_positive"),
        (SymbolLock, {"released_at": datetime(2020, 1, 1, tzinfo=UTC)}, "symbol_lock_span"),
        (OrderPlan, {"status": "DONE"}, "invalid input value for enum"),
        (Position, {"status": "OPEN"}, "invalid input value for enum"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_database_refuses_what_cannot_be(table, change, constraint) -> None:
    traded = claim(plan())
    happen(filled(traded), seen_fill(traded, "t1"), opened(traded))
    orders.sync_protections(ACCOUNT, BTC, [report(ProtectionKind.STOP, "99")], at(5))
    with pytest.raises(Exception, match=constraint), transaction.atomic():
        table.objects.update(**change)


@pytest.mark.parametrize("table", [OrderPlan, ExchangeOrder, Fill, Position, Protection, SymbolLock])
def test_the_database_refuses_a_second_one(table) -> None:
    traded = claim(plan())
    happen(filled(traded), seen_fill(traded, "t1"), opened(traded))
    orders.sync_protections(ACCOUNT, BTC, [report(ProtectionKind.STOP, "99")], at(5))
    twin = table.objects.get()
    twin.pk = None
    with pytest.raises(IntegrityError, match="duplicate key"), transaction.atomic():
        twin.save(force_insert=True)


def test_a_claim_stays_cheap_with_other_symbols_open_and_a_day_of_plans() -> None:
    """Counted in statements, as many after a day of plans as before: a clock is for benchmarks."""
    books, statements = ledger(), []
    for n in range(3):
        claim(plan(f"C{n}USDT"))
    for n in range(20):
        with CaptureQueriesContext(connection) as queries:
            assert isinstance(books.claim(plan(n=n), NOW), Claimed)
        statements.append(len(queries))
        SymbolLock.objects.filter(symbol=BTC).update(released_at=NOW)
        ExchangeOrder.objects.filter(symbol=BTC).update(status=OrderStatus.CANCELLED)
    assert set(statements) == {statements[0]}
    assert statements[0] <= 24
