"""The POST routes of orders: submit, modify, cancel, and the dead man's switch."""

from __future__ import annotations

from typing import Any, TypeVar

from apps.exchange.simulator.account import account_settings
from apps.exchange.simulator.account.rows import NO_PRESETS, Order, Plan, Presets
from apps.exchange.simulator.codes import GTC, OPENS, OVER, Code, Refused
from apps.exchange.simulator.matching import orders
from apps.exchange.simulator.matching.matching import CANCELLED
from apps.exchange.simulator.matching.new_order import OPEN_TYPES, NewOrder
from apps.exchange.simulator.server.private import fields
from apps.exchange.simulator.server.private.call import PrivateCall
from apps.exchange.simulator.server.private.rows import number

OneOf = TypeVar("OneOf", Order, Plan)


def submit_order(call: PrivateCall) -> Any:
    """Accepted for processing: the order enters the market after the answer."""
    body, symbol = call.fields, call.symbol
    side = fields.whole(body, "side", refusal=Code.BAD_SIDE)
    kind = fields.one_of(body, "type", ("limit", "market"), Code.BAD_TYPE, "limit")
    opens = side in OPENS
    wish = NewOrder(
        symbol=symbol,
        side=side,
        size=fields.size(body),
        price=fields.decimal(body, "price") if kind == "limit" else None,
        mode=fields.whole(body, "mode", default=GTC),
        leverage=fields.leverage(body) if opens else None,
        open_type=open_type(call) if opens else "",
        client_order_id=fields.text(body, "client_order_id"),
        presets=fields.presets(body) if opens else NO_PRESETS,
    )
    fields.within(body, "stp_mode", 1, 3, 1)
    order = orders.place_order(call.account, wish, call.tick)
    return {
        "order_id": order.order_id,
        "price": "market price" if kind == "market" else number(order.price),
    }


def modify_limit_order(call: PrivateCall) -> Any:
    order = found(call, call.account.orders)
    body = call.fields
    if body.get("price") is None and body.get("size") is None:
        raise Refused(Code.BAD_PARAMETER)
    price = fields.decimal(body, "price", order.price)
    # Unlike submit-order, digits as text are fine: ccxt and the exchange's own SDK send the new size so.
    size = fields.whole(body, "size", default=order.size, refusal=Code.BAD_PRECISION)
    orders.amend_order(call.account, order, price, size, call.tick)
    return {"order_id": order.order_id, "client_order_id": order.client_order_id}


def modify_presets(call: PrivateCall) -> Any:
    """The stop and target of an order that has not filled yet."""
    order = found(call, call.account.orders)
    given = fields.presets(call.fields)
    orders.set_presets(
        call.account,
        order,
        Presets(
            given.take_profit or order.presets.take_profit,
            given.take_profit_type or order.presets.take_profit_type,
            given.stop_loss or order.presets.stop_loss,
            given.stop_loss_type or order.presets.stop_loss_type,
        ),
    )
    return {"order_id": str(order.order_id)}


def cancel_order(call: PrivateCall) -> Any:
    """Without an id every order of the contract is cancelled."""
    if not is_named(call):
        return cancel_orders(call)
    call.floor.matching.finish(found(call, call.account.orders), CANCELLED, call.now_ms)
    return {}


def cancel_orders(call: PrivateCall) -> Any:
    call.floor.matching.cancel_all(call.symbol, call.now_ms)
    return {}


def cancel_all_after(call: PrivateCall) -> Any:
    """Times are seconds; 0 disarms."""
    timeout_s = fields.whole(call.fields, "timeout")
    contract = account_settings.cancel_after(call.account, call.symbol, timeout_s, call.now_ms)
    cancel_at_s = contract.cancel_at_ms // 1000
    return {"result": True, "set_time": call.now_ms // 1000, "cancel_time": cancel_at_s}


def open_type(call: PrivateCall) -> str:
    """isolated or cross; the account's setting when absent."""
    setting = call.account.contract(call.symbol).open_type
    return fields.one_of(call.fields, "open_type", OPEN_TYPES, Code.BAD_OPEN_TYPE, setting)


def is_named(call: PrivateCall) -> bool:
    return any(call.fields.get(name) for name in ("order_id", "client_order_id"))


def found(call: PrivateCall, table: dict[str, OneOf]) -> OneOf:
    """The live order that is named by either id. Refused when it is unknown or over."""
    symbol = call.symbol
    order_id, client_id = (fields.text(call.fields, name) for name in ("order_id", "client_order_id"))
    if order_id:
        named = [table[order_id]] if order_id in table else []
    else:
        named = [row for row in table.values() if client_id and row.client_order_id == client_id]
    named = [row for row in named if row.symbol == symbol]
    if not named:
        raise Refused(Code.NO_ORDER_ID)
    if named[-1].state == OVER:
        raise Refused(Code.ORDER_OVER)
    return named[-1]
