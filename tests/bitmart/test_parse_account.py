from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.values.position import PositionMode, Side, TransactionKind
from apps.exchange.bitmart import parse_account
from apps.exchange.bitmart.json_field import ParseError
from tests.bitmart import fixtures
from tests.bitmart.account_rows import ASSET, BRACKET, POSITION, TRANSACTION, Row, without
from tests.bitmart.wrong import WRONG_NUMBERS, WRONG_TEXTS


@fixtures.needed
@pytest.mark.parametrize("name", fixtures.names("rest/private_assets-detail.*.json"))
def test_every_recorded_balance_is_read(name: str) -> None:
    data = fixtures.load(name)["data"]
    (usdt,) = [row for row in data if row["currency"] == "USDT"]
    account = parse_account.account(data)
    assert account.available == Decimal(usdt["available_balance"])
    if "live" in name:  # the documentation's figures are placeholders
        assert account.equity == Decimal(usdt["equity"])


def test_equity_is_what_the_exchange_says_it_is() -> None:
    account = parse_account.account([ASSET | {"currency": "BTC", "equity": "wrong"}, ASSET])
    assert account.equity == Decimal(ASSET["equity"])


def test_an_account_that_is_not_listed_is_not_an_empty_account() -> None:
    with pytest.raises(ParseError, match="no USDT row"):
        parse_account.account([ASSET | {"currency": "BTC"}])


@fixtures.needed
@pytest.mark.parametrize("name", fixtures.names("rest/private_position-v2.*.json"))
def test_every_recorded_position_is_read_and_flat_rows_are_absent(name: str) -> None:
    data = fixtures.load(name)["data"]
    read = parse_account.positions(data)
    assert not read.faults
    assert len(read.values) == sum(Decimal(row["current_amount"]) != 0 for row in data)


def test_a_position_is_given_in_our_terms() -> None:
    (position,) = parse_account.positions([POSITION]).values
    assert (position.symbol, position.side, position.size) == ("BTCUSDT", Side.LONG, Decimal(100))
    assert (position.mark_price, position.unrealised) == (Decimal(POSITION["mark_price"]), Decimal("12.34"))
    assert position.opened_at == datetime(2024, 3, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "side"),
    [
        ({"position_side": "short", "position_amount": "100"}, Side.SHORT),
        ({"position_side": "Long", "open_type": "cross"}, Side.LONG),
        ({"position_side": "both", "position_amount": "100"}, Side.LONG),
        ({"position_side": "both", "position_amount": "-100"}, Side.SHORT),
    ],
)
def test_both_position_modes_tell_the_side(changes: Row, side: Side) -> None:
    (position,) = parse_account.positions([POSITION | changes]).values
    assert (position.side, position.size) == (side, Decimal(100))


UNUSED = ("liquidation_price", "leverage", "open_type", "realized_value", "position_cross", "initial_margin")


@given(name=st.sampled_from(("mark_price", "unrealized_pnl", *UNUSED)), value=WRONG_NUMBERS)
def test_a_field_that_nothing_hangs_on_may_be_anything(name: str, value: Any) -> None:
    for row in (POSITION | {name: value}, without(POSITION, name)):
        read = parse_account.positions([row])
        assert (len(read.values), read.faults) == (1, [])


@pytest.mark.parametrize("changes", [{"flow_type": 99, "type": "Airdrop"}, {"flow_type": "?", "type": None}])
def test_a_ledger_line_of_an_unknown_kind_is_money_that_moved(changes: Row) -> None:
    (line,) = parse_account.transactions([TRANSACTION | changes]).values
    assert (line.kind, line.amount) == (TransactionKind.OTHER, Decimal(TRANSACTION["amount"]))


@pytest.mark.parametrize("changes", [{"position_amount": "0"}, {"position_amount": None}])
def test_a_one_way_position_without_a_sign_has_no_side(changes: Row) -> None:
    read = parse_account.positions([POSITION | {"position_side": "both"} | changes])
    assert read.values == []
    assert isinstance(read.faults[0], ParseError)


@fixtures.needed
@pytest.mark.parametrize("name", fixtures.names("rest/private_transaction-history.*.json"))
def test_every_recorded_ledger_line_is_read_under_an_id_of_its_own(name: str) -> None:
    data = fixtures.load(name)["data"]
    read = parse_account.transactions(data)
    assert not read.faults
    assert len({line.transaction_id for line in read.values}) == len(data)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"flow_type": 1}, TransactionKind.TRANSFER),
        ({"flow_type": 2}, TransactionKind.REALISED),
        ({"flow_type": 4}, TransactionKind.FEE),
        ({"flow_type": 5}, TransactionKind.LIQUIDATION),
        ({"flow_type": 99, "type": "Funding Fee"}, TransactionKind.FUNDING),
    ],
)
def test_a_ledger_lines_kind_is_its_number_else_its_name(changes: Row, kind: TransactionKind) -> None:
    (line,) = parse_account.transactions([TRANSACTION | changes]).values
    assert (line.kind, line.amount) == (kind, Decimal("-0.00008253"))


def test_only_the_settle_currencys_lines_are_the_accounts() -> None:
    assert parse_account.transactions([TRANSACTION | {"asset": "BTC"}]).values == []


@fixtures.needed
@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("rest/private_get-position-mode.docs.json", PositionMode.ONE_WAY),
        ("rest/private_set-position-mode.jkorf.json", PositionMode.ONE_WAY),
    ],
)
def test_the_recorded_modes_are_read(name: str, mode: PositionMode) -> None:
    assert parse_account.position_mode(fixtures.load(name)["data"]) is mode


def test_a_mode_nobody_knows_is_unreadable() -> None:
    assert parse_account.position_mode({"position_mode": "hedge_mode"}) is PositionMode.HEDGE
    with pytest.raises(ParseError, match="position_mode"):
        parse_account.position_mode({"position_mode": "two_way_mode"})


@fixtures.needed
def test_the_recorded_fees_are_read() -> None:
    rates = parse_account.fee_rates(fixtures.load("rest/private_trade-fee-rate.docs.json")["data"])
    assert (rates.maker, rates.taker) == (Decimal("0.0002"), Decimal("0.0006"))


@fixtures.needed
@pytest.mark.parametrize("name", fixtures.names("rest/public_leverage-bracket.*.json"))
def test_the_recorded_brackets_rise_and_join_without_a_step(name: str) -> None:
    data = fixtures.load(name)["data"]
    symbol = data["rules"][0]["symbol"]
    read = parse_account.brackets(symbol)(data)
    assert not read.faults
    caps = [bracket.notional_cap for bracket in read.values]
    assert caps == sorted(caps)
    for lower, upper in zip(read.values, read.values[1:], strict=False):
        cap = lower.notional_cap
        assert cap * lower.maintenance_ratio - lower.cum == cap * upper.maintenance_ratio - upper.cum


def test_a_symbol_without_brackets_is_not_one_without_limits() -> None:
    with pytest.raises(ParseError, match="no brackets of ETHUSDT"):
        parse_account.brackets("ETHUSDT")({"rules": [{"symbol": "BTCUSDT", "brackets": [BRACKET]}]})


POSITION_NUMBERS = ("current_amount", "entry_price", "open_timestamp")


@given(name=st.sampled_from(POSITION_NUMBERS), value=WRONG_NUMBERS)
def test_a_position_with_a_wrong_number_names_the_field_and_leaves_the_others(name: str, value: Any) -> None:
    _one_bad(parse_account.positions, POSITION, name, value)


@given(name=st.sampled_from(("symbol", "position_side")), value=WRONG_TEXTS)
def test_a_position_with_a_wrong_text_names_the_field_and_leaves_the_others(name: str, value: Any) -> None:
    _one_bad(parse_account.positions, POSITION, name, value)


@given(name=st.sampled_from(("amount", "time")), value=WRONG_NUMBERS)
def test_a_ledger_line_with_a_wrong_number_names_the_field(name: str, value: Any) -> None:
    _one_bad(parse_account.transactions, TRANSACTION, name, value)


@given(name=st.sampled_from(("available_balance", "frozen_balance", "unrealized", "position_deposit")))
def test_a_balance_that_is_not_sent_is_not_zero(name: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_account.account([without(ASSET, name)])
    assert caught.value.field == name


def _one_bad(parse: Any, row: Row, name: str, value: Any) -> None:
    for bad in (row | {name: value}, without(row, name)):
        read = parse([row, bad, row])
        assert len(read.values) == 2
        (fault,) = read.faults
        assert isinstance(fault, ParseError)
        assert fault.field == name
