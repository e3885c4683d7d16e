from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.values.order import OrderStatus, ProtectionKind
from apps.engine.values.position import Side
from apps.exchange.bitmart import parse_orders
from apps.exchange.bitmart.json_field import ParseError
from tests.bitmart import fixtures
from tests.bitmart.account_rows import ORDER, PLAN, TRADE, Row, without
from tests.bitmart.wrong import WRONG_NUMBERS, WRONG_TEXTS


@fixtures.needed
@pytest.mark.parametrize(
    "name",
    fixtures.names("rest/private_get-open-orders.*.json")
    + fixtures.names("rest/private_order-history.*.json"),
)
def test_every_recorded_order_is_read(name: str) -> None:
    (sent,) = data = fixtures.load(name)["data"]
    read = parse_orders.orders(data)
    assert not read.faults
    (order,) = read.values
    assert order.exchange_order_id == sent["order_id"]
    assert order.client_order_id == sent["client_order_id"]
    assert (order.size, order.filled) == (Decimal(sent["size"]), Decimal(sent["deal_size"]))


@fixtures.needed
@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("rest/private_order.live-2023-09.json", OrderStatus.SUBMITTED),
        ("rest/private_order.live-2024-08-market-filled.json", OrderStatus.FILLED),
        ("rest/private_order.docs.json", OrderStatus.FILLED),
        ("rest/private_order.jkorf.json", OrderStatus.FILLED),
    ],
)
def test_every_recorded_single_order_is_read(name: str, status: OrderStatus) -> None:
    assert parse_orders.order(fixtures.load(name)["data"]).status is status


@fixtures.needed
def test_a_cancelled_order_is_one_that_finished_short() -> None:
    data = fixtures.load("rest/private_order-history.live-2023-11-cancelled.json")["data"]
    (order,) = parse_orders.orders(data).values
    assert order.status is OrderStatus.CANCELLED


@pytest.mark.parametrize(
    ("state", "filled", "status"),
    [
        (1, "0", OrderStatus.SUBMITTED),
        (2, "4", OrderStatus.PARTIALLY_FILLED),
        (4, "10", OrderStatus.FILLED),
        (4, "4", OrderStatus.CANCELLED),
    ],
)
def test_state_and_fills_make_the_status(state: int, filled: str, status: OrderStatus) -> None:
    (order,) = parse_orders.orders([ORDER | {"state": state, "deal_size": filled}]).values
    assert order.status is status


@pytest.mark.parametrize(
    ("number", "side", "opens"),
    [(1, Side.LONG, True), (2, Side.SHORT, False), (3, Side.LONG, False), (4, Side.SHORT, True)],
)
def test_four_numbers_are_two_sides_twice(number: int, side: Side, opens: bool) -> None:
    (order,) = parse_orders.orders([ORDER | {"side": number}]).values
    assert (order.side, order.opens) == (side, opens)
    assert parse_orders.side_number(side, opens=opens) == number


def test_an_order_placed_by_hand_has_no_id_of_ours() -> None:
    (order,) = parse_orders.orders([ORDER | {"client_order_id": ""}]).values
    assert order.client_order_id == ""


@pytest.mark.parametrize("value", [220609666322019, "220609666322019"])
def test_an_order_id_is_text_however_it_was_sent(value: Any) -> None:
    assert parse_orders.order_id({"order_id": value, "price": "market price"}) == "220609666322019"


@fixtures.needed
@pytest.mark.parametrize(
    "name",
    fixtures.names("rest/private_submit-order.*.json")
    + fixtures.names("rest/private_submit-tp-sl-order.*.json"),
)
def test_every_recorded_acceptance_names_its_order(name: str) -> None:
    assert parse_orders.order_id(fixtures.load(name)["data"]) == "220609666322019"


@pytest.mark.parametrize("data", [None, {}, [], {"order_id": None}, {"order_id": ""}, {"order_id": True}])
def test_an_acceptance_without_an_order_is_unreadable(data: Any) -> None:
    with pytest.raises(ParseError):
        parse_orders.order_id(data)


@fixtures.needed
@pytest.mark.parametrize("name", fixtures.names("rest/private_trades.*.json"))
def test_every_recorded_trade_is_read(name: str) -> None:
    (sent,) = data = fixtures.load(name)["data"]
    read = parse_orders.trades(data)
    assert not read.faults
    (fill,) = read.values
    assert (fill.trade_id, fill.size) == (sent["trade_id"], Decimal(sent["vol"]))
    assert fill.is_maker is (sent["exec_type"] == "Maker")


def test_a_fill_is_given_in_our_terms() -> None:
    (fill,) = parse_orders.trades([TRADE]).values
    assert (fill.side, fill.opens) == (Side.LONG, False)
    assert (fill.fee, fill.realised) == (Decimal("0.01614624"), Decimal("-0.0003"))
    assert fill.at == datetime(2023, 9, 29, 4, 26, 36, 692000, tzinfo=UTC)


@pytest.mark.parametrize("exec_type", ["liquidate", "ADL", "", None, 7])
def test_a_trade_of_an_unknown_kind_moved_the_position_all_the_same(exec_type: Any) -> None:
    (fill,) = parse_orders.trades([TRADE | {"exec_type": exec_type}]).values
    assert (fill.is_maker, fill.size) == (False, Decimal(TRADE["vol"]))


@fixtures.needed
@pytest.mark.parametrize("name", fixtures.names("rest/private_current-plan-order.*.json"))
def test_every_recorded_protection_is_read(name: str) -> None:
    read = parse_orders.protections(fixtures.load(name)["data"])
    assert not read.faults
    (stop,) = read.values
    assert (stop.kind, stop.side, stop.size) == (ProtectionKind.STOP, Side.LONG, None)
    assert stop.trigger_price == Decimal(14277)


@pytest.mark.parametrize(
    ("changes", "kind", "side", "size"),
    [
        ({"type": "take_profit", "side": 2}, ProtectionKind.TARGET, Side.SHORT, None),
        ({"plan_category": 1}, ProtectionKind.STOP, Side.LONG, Decimal(7216)),
        ({"side": 4}, ProtectionKind.STOP, Side.LONG, None),
        ({"side": 1}, ProtectionKind.STOP, Side.SHORT, None),
    ],
)
def test_what_sells_protects_a_long(
    changes: Row, kind: ProtectionKind, side: Side, size: Decimal | None
) -> None:
    (protection,) = parse_orders.protections([PLAN | changes]).values
    assert (protection.kind, protection.side, protection.size) == (kind, side, size)


def test_a_protection_that_does_not_say_it_covers_everything_covers_what_it_names() -> None:
    (protection,) = parse_orders.protections([without(PLAN, "plan_category")]).values
    assert protection.size == Decimal(7216)


@pytest.mark.parametrize("type_", ["plan", "trailing", "something new"])
def test_a_plan_order_of_another_kind_protects_nothing(type_: str) -> None:
    read = parse_orders.protections([PLAN | {"type": type_, "side": 1}, PLAN])
    assert (len(read.values), read.faults) == (1, [])


@given(
    name=st.sampled_from(("price", "size", "deal_size", "deal_avg_price", "state", "side")),
    value=WRONG_NUMBERS,
)
def test_an_order_with_a_wrong_number_names_the_field_and_leaves_the_others(name: str, value: Any) -> None:
    _one_bad(parse_orders.orders, ORDER, name, value)


@given(name=st.sampled_from(("order_id", "symbol")), value=WRONG_TEXTS)
def test_an_order_with_a_wrong_text_names_the_field_and_leaves_the_others(name: str, value: Any) -> None:
    _one_bad(parse_orders.orders, ORDER, name, value)


@given(
    name=st.sampled_from(("price", "vol", "paid_fees", "realised_profit", "side", "create_time")),
    value=WRONG_NUMBERS,
)
def test_a_trade_with_a_wrong_number_names_the_field_and_leaves_the_others(name: str, value: Any) -> None:
    _one_bad(parse_orders.trades, TRADE, name, value)


@given(name=st.sampled_from(("trade_id", "order_id", "symbol")), value=WRONG_TEXTS)
def test_a_trade_with_a_wrong_text_names_the_field_and_leaves_the_others(name: str, value: Any) -> None:
    _one_bad(parse_orders.trades, TRADE, name, value)


@given(name=st.sampled_from(("trigger_price", "side")), value=WRONG_NUMBERS)
def test_a_protection_with_a_wrong_number_names_the_field_and_leaves_the_others(
    name: str, value: Any
) -> None:
    _one_bad(parse_orders.protections, PLAN, name, value)


@pytest.mark.parametrize(
    ("parse", "row", "changes"),
    [
        (parse_orders.orders, ORDER, {"side": 5}),
        (parse_orders.orders, ORDER, {"state": 3}),
        (parse_orders.orders, ORDER, {"client_order_id": 7}),
        (parse_orders.protections, PLAN, {"type": None}),
    ],
)
def test_a_value_nobody_documents_is_not_guessed(parse: Any, row: Row, changes: Row) -> None:
    read = parse([row | changes, row])
    assert len(read.values) == 1
    assert read.faults[0].field in changes


def _one_bad(parse: Any, row: Row, name: str, value: Any) -> None:
    for bad in (row | {name: value}, without(row, name)):
        read = parse([row, bad, row])
        assert len(read.values) == 2
        (fault,) = read.faults
        assert isinstance(fault, ParseError)
        assert fault.field == name
