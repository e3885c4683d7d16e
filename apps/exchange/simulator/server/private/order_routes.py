"""The POST routes of orders and of what waits for a trigger: submit, modify, cancel.

And the dead man's switch.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from apps.exchange.simulator.account import account_settings
from apps.exchange.simulator.account.rows import NO_PRESETS, ZERO, Order, Plan, Presets
from apps.exchange.simulator.codes import BUYS, FALLS, GTC, OPENS, OVER, QUANTITY, RISES, WHOLE, Code, Refused
from apps.exchange.simulator.matching import orders
from apps.exchange.simulator.matching.matching import CANCELLED, fillable
from apps.exchange.simulator.matching.new_order import OPEN_TYPES, NewOrder, check_price
from apps.exchange.simulator.server.private import fields
from apps.exchange.simulator.server.private.fields import PrivateCall
from apps.exchange.simulator.server.private.rows import number

OneOf = TypeVar("OneOf", Order, Plan)


def submit_order(call: PrivateCall) -> Any:
    """Accepted for processing: the order enters the market after the answer."""
    body, symbol = call.fields, call.symbol
    side = fields.whole(body, "side", refusal=Code.BAD_SIDE)
    kind = fields.one_of(body, "type", ("limit", "market"), Code.BAD_TYPE, "limit")
    opens = side in OPENS
    request = NewOrder(
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
    order = orders.place_order(call.account, request, call.tick)
    return {
        "order_id": order.order_id,
        "price": "market price" if kind == "market" else number(order.price),
    }


def modify_limit_order(call: PrivateCall) -> Any:
    order = named_row(call, call.account.orders)
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
    order = named_row(call, call.account.orders)
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
    _cancel(call, named_row(call, call.account.orders))
    return {}


def cancel_orders(call: PrivateCall) -> Any:
    for order in call.account.live_orders(call.symbol):
        _cancel(call, order)
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


def named_row(call: PrivateCall, table: dict[str, OneOf]) -> OneOf:
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


def _cancel(call: PrivateCall, order: Order) -> None:
    """End an order, unless the fill of another has. `fill_after_cancel`: by filling what may be filled."""
    matching = call.exchange.matching
    rest = fillable(call.account, order) if order.kind == "limit" else 0
    if rest and call.faults.take("fill_after_cancel"):
        # What a closing order leaves unfilled ends with the position.
        matching.fill(order, order.price, rest, maker=True, at_ms=call.now_ms)
    elif call.account.is_live(order):
        matching.finish(order, CANCELLED, call.now_ms)


PLAN_TYPES = ("limit", "market", "take_profit", "stop_loss")
LEAST_CALLBACK_PCT, MOST_CALLBACK_PCT = Decimal("0.1"), Decimal(5)


def submit_plan_order(call: PrivateCall) -> Any:
    kind = fields.one_of(call.fields, "type", PLAN_TYPES, Code.BAD_TYPE, "limit")
    if kind in ("take_profit", "stop_loss"):
        return {"order_id": _protect(call, kind).order_id}
    plan = replace(
        _blank(call, "plan"),
        mode=fields.within(call.fields, "mode", 1, 4, GTC),
        trigger_price=fields.decimal(call.fields, "trigger_price"),
        price_way=fields.within(call.fields, "price_way", 1, 2),
        price_type=fields.price_type(call.fields, "price_type"),
        executive_price=fields.decimal(call.fields, "executive_price") if kind == "limit" else ZERO,
        presets=fields.presets(call.fields) if fields.whole(call.fields, "side") in OPENS else NO_PRESETS,
    )
    return {"order_id": _added(call, plan).order_id}


def submit_trail_order(call: PrivateCall) -> Any:
    callback_pct = fields.decimal(call.fields, "callback_rate")
    if not LEAST_CALLBACK_PCT <= callback_pct <= MOST_CALLBACK_PCT:
        raise Refused(Code.BAD_PARAMETER)
    blank = _blank(call, "trailing")
    plan = replace(
        blank,
        trigger_price=fields.decimal(call.fields, "activation_price"),
        price_way=FALLS if blank.side in BUYS else RISES,
        price_type=fields.price_type(call.fields, "activation_price_type"),
        callback_pct=callback_pct,
    )
    return {"order_id": _added(call, plan).order_id}


def submit_tp_sl_order(call: PrivateCall) -> Any:
    kind = fields.one_of(call.fields, "type", ("take_profit", "stop_loss"), Code.BAD_TYPE)
    if kind == "stop_loss" and call.faults.refuse_stops:
        raise Refused(Code.SYSTEM)
    plan = _protect(call, kind)
    return {"order_id": str(plan.order_id), "client_order_id": plan.client_order_id}


def modify_plan_order(call: PrivateCall) -> Any:
    plan = named_row(call, call.account.plans)
    kind = fields.one_of(call.fields, "type", ("limit", "market"), Code.BAD_TYPE)
    executive = fields.decimal(call.fields, "executive_price") if kind == "limit" else ZERO
    return _modified(call, plan, executive)


def modify_tp_sl_order(call: PrivateCall) -> Any:
    plan = named_row(call, call.account.plans)
    if not plan.protects:
        raise Refused(Code.BAD_TYPE)
    if plan.kind == "stop_loss" and call.faults.refuse_stops:
        raise Refused(Code.SYSTEM)
    return _modified(call, plan, _executive(call, plan.category))


def cancel_plan_order(call: PrivateCall) -> Any:
    """Stops and targets too. Without an id every plan of the contract is cancelled."""
    chosen = [named_row(call, call.account.plans)] if is_named(call) else call.account.live_plans(call.symbol)
    for plan in chosen:
        call.exchange.matching.finish(plan, CANCELLED, call.now_ms)
    return {}


def cancel_trail_order(call: PrivateCall) -> Any:
    plan = named_row(call, call.account.plans)
    if plan.kind != "trailing":
        raise Refused(Code.NO_ORDER_ID)
    call.exchange.matching.finish(plan, CANCELLED, call.now_ms)
    return {}


def _protect(call: PrivateCall, kind: str) -> Plan:
    body, side = call.fields, fields.whole(call.fields, "side", refusal=Code.BAD_SIDE)
    orders.check_position_open(call.account, call.symbol, side)
    category = fields.within(body, "plan_category", QUANTITY, WHOLE, WHOLE)
    plan = orders.protection_plan(
        call.account,
        call.symbol,
        stop=kind == "stop_loss",
        side=side,
        trigger_price=fields.decimal(body, "trigger_price"),
        price_type=fields.price_type(body, "price_type"),
        at_ms=call.now_ms,
    )
    sized = category == QUANTITY and body.get("size") is not None
    return _added(
        call,
        replace(
            plan,
            size=fields.size(body) if sized else 0,
            category=category,
            executive_price=_executive(call, category),
            client_order_id=fields.text(body, "client_order_id"),
        ),
    )


def _executive(call: PrivateCall, category: int) -> Decimal:
    """The price of the order that is placed; 0 is market, and so is a whole position without a price."""
    if fields.text(call.fields, "category") == "market":
        return ZERO
    return fields.decimal(call.fields, "executive_price", ZERO if category == WHOLE else None)


def _modified(call: PrivateCall, plan: Plan, executive: Decimal) -> dict[str, str]:
    trigger = fields.decimal(call.fields, "trigger_price")
    check_price(call.listing, trigger)
    if executive:
        check_price(call.listing, executive)
    call.account.put(
        replace(
            plan,
            trigger_price=trigger,
            price_type=fields.price_type(call.fields, "price_type"),
            executive_price=executive,
            updated_ms=call.now_ms,
        )
    )
    return {"order_id": str(plan.order_id)}


def _blank(call: PrivateCall, kind: str) -> Plan:
    """The fields that plan orders and trailing orders share; the price fields are for the caller to set."""
    body, contract = call.fields, call.account.contract(call.symbol)
    side = fields.whole(body, "side", refusal=Code.BAD_SIDE)
    if side not in (1, 2, 3, 4):
        raise Refused(Code.BAD_SIDE)
    leverage = fields.leverage(body)
    return Plan(
        order_id=0,
        symbol=call.symbol,
        side=side,
        kind=kind,
        mode=GTC,
        size=fields.size(body),
        trigger_price=ZERO,
        price_way=RISES,
        price_type=1,
        executive_price=ZERO,
        category=0,
        leverage=contract.leverage if leverage is None else leverage,
        open_type=open_type(call),
        position_mode=call.account.wallet.position_mode,
        created_ms=call.now_ms,
        updated_ms=call.now_ms,
        client_order_id=fields.text(body, "client_order_id"),
    )


def _added(call: PrivateCall, plan: Plan) -> Plan:
    return orders.place_plan(call.exchange.matching, plan)
