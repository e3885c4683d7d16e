"""From BitMart's account, positions, ledger, fees and brackets to the engine's values."""

from __future__ import annotations

from collections.abc import Callable

from apps.engine.values.position import (
    Account,
    Bracket,
    FeeRates,
    PositionMode,
    PositionReport,
    Transaction,
    TransactionKind,
)
from apps.engine.values.side import Side
from apps.exchange.bitmart import fields
from apps.exchange.bitmart.fields import ParseError, Row, Rows

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
    """Of the settle currency. ParseError when the exchange does not list it: that is not an empty account."""
    for row in fields.sequence(data, "data"):
        if isinstance(row, dict) and row.get("currency") == SETTLE_CURRENCY:
            return Account(
                available=fields.number(row, "available_balance"),
                frozen=fields.number(row, "frozen_balance"),
                position_margin=fields.number(row, "position_deposit"),
                unrealised=fields.number(row, "unrealized"),
            )
    raise ParseError("currency", f"no {SETTLE_CURRENCY} row")


def positions(data: object) -> Rows[PositionReport]:
    """What is held: asked by symbol, the exchange lists flat sides too, all zero."""
    read = fields.rows(data, "data", _position)
    return Rows([position for position in read.values if position is not None], read.faults)


def transactions(data: object) -> Rows[Transaction]:
    """Lines of the settle currency."""
    listed = [
        row
        for row in fields.sequence(data, "data")
        if not isinstance(row, dict) or row.get("asset", SETTLE_CURRENCY) == SETTLE_CURRENCY
    ]
    return fields.rows(listed, "data", _transaction)


def position_mode(data: object) -> PositionMode:
    word = fields.text(fields.mapping(data, "data"), "position_mode")
    if word not in _MODES:
        raise ParseError("position_mode", word)
    return _MODES[word]


def fee_rates(data: object) -> FeeRates:
    row = fields.mapping(data, "data")
    return FeeRates(fields.number(row, "maker_fee_rate"), fields.number(row, "taker_fee_rate"))


def brackets(symbol: str) -> Callable[[object], Rows[Bracket]]:
    """Rising by cap. ParseError when the answer has none for `symbol`."""

    def read(data: object) -> Rows[Bracket]:
        for rule in fields.sequence(fields.mapping(data, "data").get("rules"), "rules"):
            if isinstance(rule, dict) and rule.get("symbol") == symbol and rule.get("brackets"):
                found = fields.rows(rule["brackets"], "brackets", _bracket)
                return Rows(sorted(found.values, key=lambda each: each.notional_cap), found.faults)
        raise ParseError("rules", f"no brackets of {symbol}")

    return read


def _position(row: Row) -> PositionReport | None:
    size = fields.number(row, "current_amount")
    if size == 0:
        return None
    return PositionReport(
        symbol=fields.text(row, "symbol"),
        side=_side(row),
        size=abs(size),
        entry_price=fields.number(row, "entry_price"),
        mark_price=fields.number(row, "mark_price"),
        leverage=fields.whole(row, "leverage"),
        isolated=fields.text(row, "open_type").lower() == "isolated",
        margin=fields.number(row, "position_cross" if "position_cross" in row else "initial_margin"),
        unrealised=fields.number(row, "unrealized_pnl"),
        realised=fields.number(row, "realized_value"),
        liquidation_price=fields.number(row, "liquidation_price"),
        opened_at=fields.moment(row, "open_timestamp"),
    )


def _side(row: Row) -> Side:
    """In one-way mode the side is "both" and the sign of the amount tells."""
    word = fields.text(row, "position_side").lower()
    if word == "both":
        amount = fields.number(row, "position_amount")
        if amount == 0:  # while something is held: no sign tells which way
            raise ParseError("position_amount", row["position_amount"])
        return Side.LONG if amount > 0 else Side.SHORT
    if word not in (Side.LONG, Side.SHORT):
        raise ParseError("position_side", word)
    return Side(word)


def _transaction(row: Row) -> Transaction:
    kind = _kind(row)
    symbol = row.get("symbol", "")
    if not isinstance(symbol, str):
        raise ParseError("symbol", symbol)
    bare_id = fields.identifier(row, "tran_id")  # repeated by the exchange: some are only times
    return Transaction(
        transaction_id=f"{bare_id}:{kind}:{symbol}",
        kind=kind,
        amount=fields.number(row, "amount"),
        symbol=symbol,
        at=fields.moment(row, "time"),
    )


def _kind(row: Row) -> TransactionKind:
    """By number where one is sent, else by name."""
    kind = _KINDS.get(fields.whole(row, "flow_type")) if "flow_type" in row else None
    kind = kind or _KIND_NAMES.get(fields.text(row, "type"))
    if kind is None:
        raise ParseError("type", row.get("type"))
    return kind


def _bracket(row: Row) -> Bracket:
    return Bracket(
        notional_cap=fields.number(row, "notional_cap"),
        max_leverage=fields.whole(row, "initial_leverage"),
        maintenance_ratio=fields.number(row, "maint_margin_ratio"),
        cum=fields.number(row, "cum"),
    )
