"""From BitMart's orders, trades and plan orders to the engine's reports.

There are four order sides: 1 buy to open a long, 2 buy to close a short, 3 sell to close a long, 4 sell to
open a short. In one-way mode 1 and 4 are plain, 2 and 3 reduce-only: for our orders the same table.
"""

from __future__ import annotations

import structlog

from apps.engine.values.order import Fill, OrderReport, ProtectionKind, ProtectionReport
from apps.engine.values.position import Side
from apps.exchange.bitmart import json_field
from apps.exchange.bitmart.json_field import ParseError, Row, Rows

log = structlog.get_logger("provider")

FINISHED = 4
ALIVE = (1, 2)
WHOLE_POSITION = 2
_SIDE_NUMBERS = {
    (Side.LONG, True): 1,
    (Side.SHORT, False): 2,
    (Side.LONG, False): 3,
    (Side.SHORT, True): 4,
}
_SIDES = {number: meaning for meaning, number in _SIDE_NUMBERS.items()}
_BUYS = (1, 2)
_KINDS = {"stop_loss": ProtectionKind.STOP, "take_profit": ProtectionKind.TARGET}


def side_number(side: Side, *, opens: bool) -> int:
    """Return how an order's side is sent; `side` is the position's."""
    return _SIDE_NUMBERS[side, opens]


def orders(data: object) -> Rows[OrderReport]:
    return json_field.rows(data, "data", _order)


def order(data: object) -> OrderReport:
    return _order(json_field.mapping(data, "data"))


def order_id(data: object) -> str:
    """Return as text what some routes send as an integer and others as text."""
    return json_field.identifier(json_field.mapping(data, "data"), "order_id")


def trades(data: object) -> Rows[Fill]:
    return json_field.rows(data, "data", _fill)


def protections(data: object) -> Rows[ProtectionReport]:
    """Return stops and targets only: any other plan order protects nothing that we count on."""
    rows = json_field.rows(data, "data", _protection)
    return Rows([each for each in rows.values if each is not None], rows.faults, rows.symbols)


def _order(row: Row) -> OrderReport:
    side, opens = _SIDES[_side_number(row)]
    state = json_field.whole(row, "state")
    if state != FINISHED and state not in ALIVE:
        raise ParseError("state", row["state"])
    return OrderReport(
        exchange_order_id=json_field.identifier(row, "order_id"),
        client_order_id=_client_order_id(row),
        symbol=json_field.text(row, "symbol"),
        side=side,
        opens=opens,
        price=json_field.number(row, "price"),
        size=json_field.number(row, "size"),
        filled=json_field.number(row, "deal_size"),
        average_price=json_field.number(row, "deal_avg_price"),
        open=state in ALIVE,
        updated_at=json_field.moment(row, "update_time"),
    )


def _fill(row: Row) -> Fill:
    side, opens = _SIDES[_side_number(row)]
    exec_type = str(row.get("exec_type")).lower()
    if exec_type not in ("maker", "taker"):
        # a liquidation, an ADL, or what the exchange invents next: it moved the position all the same
        log.warning("unknown_exec_type", symbol=row.get("symbol"), exec_type=row.get("exec_type"))
    return Fill(
        trade_id=json_field.identifier(row, "trade_id"),
        exchange_order_id=json_field.identifier(row, "order_id"),
        symbol=json_field.text(row, "symbol"),
        side=side,
        opens=opens,
        price=json_field.number(row, "price"),
        size=json_field.number(row, "vol"),
        fee=json_field.number(row, "paid_fees"),
        realised=json_field.number(row, "realised_profit"),
        is_maker=exec_type == "maker",
        at=json_field.moment(row, "create_time"),
    )


def _protection(row: Row) -> ProtectionReport | None:
    kind = _KINDS.get(json_field.text(row, "type"))
    if kind is None:
        return None
    # a row that does not say it protects the whole position protects only what it names
    whole = "plan_category" in row and json_field.whole(row, "plan_category") == WHOLE_POSITION
    return ProtectionReport(
        exchange_order_id=json_field.identifier(row, "order_id"),
        client_order_id=_client_order_id(row),
        symbol=json_field.text(row, "symbol"),
        side=Side.SHORT if _side_number(row) in _BUYS else Side.LONG,  # what buys closes a short
        kind=kind,
        trigger_price=json_field.number(row, "trigger_price"),
        size=None if whole else json_field.number(row, "size"),
    )


def _side_number(row: Row) -> int:
    number = json_field.whole(row, "side")
    if number not in _SIDES:
        raise ParseError("side", row["side"])
    return number


def _client_order_id(row: Row) -> str:
    """Empty for orders placed without one."""
    client_order_id = row.get("client_order_id", "")
    if not isinstance(client_order_id, str):
        raise ParseError("client_order_id", client_order_id)
    return client_order_id
