"""Orders that wait for a trigger: plan orders, stops and targets, trailing orders."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from apps.exchange.simulator.account import Account
from apps.exchange.simulator.checks import (
    check_client_id,
    check_leverage,
    check_opens,
    check_price,
    check_size,
)
from apps.exchange.simulator.errors import Code, Refused
from apps.exchange.simulator.holdings import ZERO
from apps.exchange.simulator.matching import SUBMITTED, Event, Matching
from apps.exchange.simulator.rows import NO_PRESETS, Order, Plan
from apps.exchange.simulator.words import FALLS, GTC, LAST_PRICE, LONG, OVER, QUANTITY, RISES, SHORT


def add(matching: Matching, plan: Plan) -> Plan:
    """Accept a plan and give it its id. Raises Refused for what the exchange does not take."""
    account, listing = matching.account, matching.account.listing(plan.symbol)
    if plan.size or not plan.protects:
        check_size(listing, plan.size, market=not plan.executive_price)
    check_opens(account, plan.symbol, plan.side, plan.size)
    check_price(listing, plan.trigger_price)
    if plan.executive_price:
        check_price(listing, plan.executive_price)
    check_leverage(listing, plan.leverage)
    check_client_id(account, plan.client_order_id)
    plan = replace(plan, order_id=account.number())
    _announce(matching, plan)
    return plan


def protection(
    account: Account,
    symbol: str,
    *,
    stop: bool,
    side: int,
    trigger_price: Decimal,
    price_type: int,
    at_ms: int,
) -> Plan:
    """A stop or target at market, its id and size yet unset; it closes with `side` (2 a short, 3 a long)."""
    contract = account.contract(symbol)
    return Plan(
        order_id=0,
        symbol=symbol,
        side=side,
        kind="stop_loss" if stop else "take_profit",
        mode=GTC,
        size=0,
        trigger_price=trigger_price,
        price_way=FALLS if stop == (side == 3) else RISES,
        price_type=price_type,
        executive_price=ZERO,
        category=QUANTITY,
        leverage=contract.leverage,
        open_type=contract.open_type,
        position_mode=account.purse.position_mode,
        created_ms=at_ms,
        updated_ms=at_ms,
    )


def arm_presets(matching: Matching, order: Order, at_ms: int) -> None:
    """After a fill: the stop and target attached to the order become plans, as large as what was filled."""
    when = matching.rules.preset_on_partial
    if order.presets == NO_PRESETS or when == "never" or (when == "complete" and order.filled < order.size):
        return
    for stop, price, price_type in (
        (True, order.presets.stop_loss, order.presets.stop_loss_type),
        (False, order.presets.take_profit, order.presets.take_profit_type),
    ):
        if price:
            _arm(matching, order, stop, price, price_type or LAST_PRICE, at_ms)


def _arm(matching: Matching, order: Order, stop: bool, price: Decimal, price_type: int, at_ms: int) -> None:
    account = matching.account
    kind = "stop_loss" if stop else "take_profit"
    armed = [each for each in account.plans.values() if each.carrier == order.order_id and each.kind == kind]
    if armed:
        if armed[0].state != OVER:
            account.put(replace(armed[0], size=order.filled, updated_ms=at_ms))
        return
    plan = protection(
        account,
        order.symbol,
        stop=stop,
        side=3 if order.buys else 2,
        trigger_price=price,
        price_type=price_type,
        at_ms=at_ms,
    )
    _announce(matching, replace(plan, order_id=account.number(), size=order.filled, carrier=order.order_id))


def _announce(matching: Matching, plan: Plan) -> None:
    matching.account.put(plan)
    matching.events.append(Event(SUBMITTED, plan))


def check_held(account: Account, symbol: str, side: int) -> None:
    """A stop or target needs a position to protect."""
    if side not in (2, 3):
        raise Refused(Code.BAD_SIDE)
    if not account.position(symbol, SHORT if side == 2 else LONG).size:
        raise Refused(Code.NO_POSITION)
