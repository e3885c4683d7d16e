"""From BitMart's account, positions, ledger, fees and brackets to the engine's values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from apps.engine.values.position import (
    Account,
    Bracket,
    FeeRates,
    PositionMode,
    PositionReport,
    Side,
    Transaction,
    TransactionKind,
)
from apps.exchange.bitmart import json_field
from apps.exchange.bitmart.json_field import ParseError, Row, Rows

SETTLE_CURRENCY = "USDT"
MODES = {PositionMode.HEDGE: "hedge_mode", PositionMode.ONE_WAY: "one_way_mode"}
_MODES = {word: mode for mode, word in MODES.items()}
_KINDS = {
    1: TransactionKind.TRANSFER,
    2: TransactionKind.REALISED,
    3: TransactionKind.FUNDING,
    4: TransactionKind.FEE,
    5: TransactionKind.LIQUIDATION,
}
_KIND_NAMES = {
    "Transfer": TransactionKind.TRANSFER,
    "Realized PNL": TransactionKind.REALISED,
    "Funding Fee": TransactionKind.FUNDING,
    "Commission Fee": TransactionKind.FEE,
    "Liquidation Clearance": TransactionKind.LIQUIDATION,
}


def account(data: object) -> Account:
    """Return the account in the settle currency. ParseError when that is not listed: it is not empty then."""
    for row in json_field.sequence(data, "data"):
        if isinstance(row, dict) and row.get("currency") == SETTLE_CURRENCY:
            return Account(
                available=json_field.number(row, "available_balance"),
                frozen=json_field.number(row, "frozen_balance"),
                position_margin=json_field.number(row, "position_deposit"),
                unrealised=json_field.number(row, "unrealized"),
            )
    raise ParseError("currency", f"no {SETTLE_CURRENCY} row")


def positions(data: object) -> Rows[PositionReport]:
    """Return what is held: asked by symbol, the exchange lists flat sides too, all zero."""
    rows = json_field.rows(data, "data", _position)
    return Rows([held for held in rows.values if held is not None], rows.faults, rows.symbols)


def transactions(data: object) -> Rows[Transaction]:
    """Return the lines of the settle currency."""
    listed = [
        row
        for row in json_field.sequence(data, "data")
        if not isinstance(row, dict) or row.get("asset", SETTLE_CURRENCY) == SETTLE_CURRENCY
    ]
    return json_field.rows(listed, "data", _transaction)


def position_mode(data: object) -> PositionMode:
    word = json_field.text(json_field.mapping(data, "data"), "position_mode")
    if word not in _MODES:
        raise ParseError("position_mode", word)
    return _MODES[word]


def fee_rates(data: object) -> FeeRates:
    row = json_field.mapping(data, "data")
    return FeeRates(json_field.number(row, "maker_fee_rate"), json_field.number(row, "taker_fee_rate"))


def brackets(symbol: str) -> Callable[[object], Rows[Bracket]]:
    """Return what reads the brackets of `symbol`, rising by cap; it raises ParseError when there are none."""

    def bracket(row: Row) -> Bracket:
        return Bracket(
            notional_cap=json_field.number(row, "notional_cap"),
            max_leverage=json_field.whole(row, "initial_leverage"),
            maintenance_ratio=json_field.number(row, "maint_margin_ratio"),
            cum=json_field.number(row, "cum"),
        )

    def read(data: object) -> Rows[Bracket]:
        for rule in json_field.sequence(json_field.mapping(data, "data").get("rules"), "rules"):
            if isinstance(rule, dict) and rule.get("symbol") == symbol and rule.get("brackets"):
                rows = json_field.rows(rule["brackets"], "brackets", bracket)
                return replace(rows, values=sorted(rows.values, key=lambda each: each.notional_cap))
        raise ParseError("rules", f"no brackets of {symbol}")

    return read


def _position(row: Row) -> PositionReport | None:
    size = json_field.number(row, "current_amount")
    if size == 0:
        return None
    symbol = json_field.text(row, "symbol")
    word = json_field.text(row, "position_side").lower()
    if word == "both":  # in one-way mode the sign of the amount tells the side
        amount = json_field.number(row, "position_amount")
        if amount == 0:  # while something is held: no sign tells which way
            raise ParseError("position_amount", row["position_amount"])
        word = Side.LONG if amount > 0 else Side.SHORT
    elif word not in (Side.LONG, Side.SHORT):
        raise ParseError("position_side", word)
    return PositionReport(
        symbol=symbol,
        side=Side(word),
        size=abs(size),
        entry_price=json_field.number(row, "entry_price"),
        opened_at=json_field.moment(row, "open_timestamp"),
        mark_price=json_field.readable_number(row, "mark_price"),
        unrealised=json_field.readable_number(row, "unrealized_pnl"),
    )


def _transaction(row: Row) -> Transaction:
    # the kind by number where one is sent, else by name; money moved whatever it is called
    number = json_field.readable_number(row, "flow_type")
    kind = _KINDS.get(int(number)) if number is not None else None
    kind = kind or _KIND_NAMES.get(str(row.get("type")), TransactionKind.OTHER)
    symbol = row.get("symbol", "")
    if not isinstance(symbol, str):
        raise ParseError("symbol", symbol)
    bare_id = json_field.identifier(row, "tran_id")  # repeated by the exchange: some are only times
    return Transaction(
        transaction_id=f"{bare_id}:{kind}:{symbol}",
        kind=kind,
        amount=json_field.number(row, "amount"),
        symbol=symbol,
        at=json_field.moment(row, "time"),
    )
