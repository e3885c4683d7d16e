"""From BitMart's orders, trades and plan orders to the engine's reports."""

from __future__ import annotations

from decimal import Decimal

from apps.engine.values.order import Fill, OrderReport, ProtectionKind, ProtectionReport
from apps.exchange.bitmart import fields, sides
from apps.exchange.bitmart.fields import ParseError, Row, Rows

FINISHED = 4
ALIVE = (1, 2)
WHOLE_POSITION = 2
_KINDS = {"stop_loss": ProtectionKind.STOP, "take_profit": ProtectionKind.TARGET}


def orders(data: object) -> Rows[OrderReport]:
    return fields.rows(data, "data", _order)


def one_order(data: object) -> OrderReport:
    return _order(fields.mapping(data, "data"))


def order_id(data: object) -> str:
    """Sent as an integer by some routes and as text by others; text with us."""
    return fields.identifier(fields.mapping(data, "data"), "order_id")


def trades(data: object) -> Rows[Fill]:
    return fields.rows(data, "data", _fill)


def protections(data: object) -> Rows[ProtectionReport]:
    """Stops and targets only: any other plan order protects nothing that we count on."""
    read = fields.rows(data, "data", _protection)
    return Rows([found for found in read.values if found is not None], read.faults)


def _order(row: Row) -> OrderReport:
    side, opens = sides.meaning(row)
    state = fields.whole(row, "state")
    if state != FINISHED and state not in ALIVE:
        raise ParseError("state", row["state"])
    return OrderReport(
        exchange_order_id=fields.identifier(row, "order_id"),
        client_order_id=_client_order_id(row),
        symbol=fields.text(row, "symbol"),
        side=side,
        opens=opens,
        price=fields.number(row, "price"),
        size=fields.number(row, "size"),
        filled=fields.number(row, "deal_size"),
        average_price=fields.number(row, "deal_avg_price"),
        open=state in ALIVE,
        updated_at=fields.moment(row, "update_time"),
    )


def _fill(row: Row) -> Fill:
    side, opens = sides.meaning(row)
    exec_type = fields.text(row, "exec_type").lower()
    if exec_type not in ("maker", "taker"):
        raise ParseError("exec_type", row["exec_type"])
    return Fill(
        trade_id=fields.identifier(row, "trade_id"),
        exchange_order_id=fields.identifier(row, "order_id"),
        symbol=fields.text(row, "symbol"),
        side=side,
        opens=opens,
        price=fields.number(row, "price"),
        size=fields.number(row, "vol"),
        fee=fields.number(row, "paid_fees"),
        realised=fields.number(row, "realised_profit"),
        is_maker=exec_type == "maker",
        at=fields.moment(row, "create_time"),
    )


def _protection(row: Row) -> ProtectionReport | None:
    kind = _KINDS.get(fields.text(row, "type"))
    if kind is None:
        return None
    return ProtectionReport(
        exchange_order_id=fields.identifier(row, "order_id"),
        client_order_id=_client_order_id(row),
        symbol=fields.text(row, "symbol"),
        side=sides.protected(row),
        kind=kind,
        trigger_price=fields.number(row, "trigger_price"),
        size=_protected_size(row),
    )


def _protected_size(row: Row) -> Decimal | None:
    """None for the whole position; a row that does not say so protects only what it names."""
    if "plan_category" in row and fields.whole(row, "plan_category") == WHOLE_POSITION:
        return None
    return fields.number(row, "size")


def _client_order_id(row: Row) -> str:
    """Empty for orders placed without one."""
    found = row.get("client_order_id", "")
    if not isinstance(found, str):
        raise ParseError("client_order_id", found)
    return found
