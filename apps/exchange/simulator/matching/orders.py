"""Accepting and changing orders, and plans that wait for a trigger. Refused is raised before any change."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from apps.exchange.simulator.account.account import Account
from apps.exchange.simulator.account.margin import TAKER, margin
from apps.exchange.simulator.account.rows import NO_PRESETS, ZERO, Order, Plan, Presets
from apps.exchange.simulator.codes import (
    APPROVAL,
    FALLS,
    FOK,
    GTC,
    IOC,
    LAST_PRICE,
    LONG,
    MAKER_ONLY,
    OVER,
    QUANTITY,
    RISES,
    SHORT,
    Code,
    Refused,
)
from apps.exchange.simulator.market.listing import Listing
from apps.exchange.simulator.matching.matching import SUBMITTED, Event, Matching, Tick
from apps.exchange.simulator.matching.new_order import (
    NewOrder,
    check_bracket,
    check_client_id,
    check_leverage,
    check_opens,
    check_price,
    check_size,
    closing_size,
    frozen_contracts,
    opening_settings,
)

WORST_RATIO = Decimal("0.01")
"""A market order gets no price farther than this from the far side of the book: its protective price."""


def place_order(account: Account, request: NewOrder, tick: Tick) -> Order:
    """Accept an order (state APPROVAL): it enters the market when it is approved."""
    listing, market = account.listing(request.symbol), request.price is None
    _check_form(account, request)
    price = request.price
    if price is None:
        price = _protective_price(listing, tick, buys=request.side in (1, 2))
    size, contract = request.size, account.contract(request.symbol)
    leverage, open_type = contract.leverage, contract.open_type
    if request.side in (1, 4):
        check_opens(account, request.symbol, request.side, size)
        leverage, open_type = opening_settings(account, request)
        _check_margin(account, request, price, leverage)
    else:
        size = closing_size(account, request)
    account.put(replace(contract, leverage=leverage, open_type=open_type))
    order_id = account.take_number()
    order = Order(
        order_id=order_id,
        symbol=request.symbol,
        side=request.side,
        kind="market" if market else "limit",
        mode=request.mode,
        price=price,
        size=size,
        leverage=leverage,
        open_type=open_type,
        position_mode=account.wallet.position_mode,
        created_ms=tick.at_ms,
        updated_ms=tick.at_ms,
        queued=order_id,
        client_order_id=request.client_order_id,
        plan_order_id=request.plan_order_id,
        trigger_price=request.trigger_price,
        presets=request.presets,
    )
    account.put(order)
    return order


def amend_order(account: Account, order: Order, price: Decimal, size: int, tick: Tick) -> Order:
    """Change a resting limit. It keeps its place in the queue only when it shrinks at the same price."""
    listing = account.listing(order.symbol)
    check_price(listing, price)
    check_size(listing, size, market=False)
    if order.state == OVER or order.kind != "limit" or size <= order.filled:
        raise Refused(Code.ORDER_OVER)
    amended = replace(order, price=price, size=size, updated_ms=tick.at_ms)
    if price != order.price or size > order.size:
        amended = replace(amended, queued=account.take_number(), state=APPROVAL)
    check_opens(account, order.symbol, order.side, amended.remaining)
    if not order.opens:
        held = account.position(order.symbol, order.closes)
        if amended.remaining - order.remaining > held.size - frozen_contracts(account, held):
            raise Refused(Code.SHORT_POSITION)
    elif account.frozen_by(amended) - account.frozen_by(order) > account.available:
        raise Refused(Code.NO_MARGIN)
    account.put(amended)
    return amended


def set_presets(account: Account, order: Order, presets: Presets) -> Order:
    """Attach another stop and target; return the order as it is then."""
    _check_presets(account.listing(order.symbol), presets)
    changed = replace(order, presets=presets)
    account.put(changed)
    return changed


def _check_form(account: Account, request: NewOrder) -> None:
    listing = account.listing(request.symbol)
    if request.side not in (1, 2, 3, 4):
        raise Refused(Code.BAD_SIDE)
    if request.mode not in (GTC, FOK, IOC, MAKER_ONLY):
        raise Refused(Code.BAD_PARAMETER)
    if request.price is None and request.mode == MAKER_ONLY:
        raise Refused(Code.BAD_TYPE)
    # a stop that fires closes the position whole, also beyond the largest market order
    if not (request.plan_order_id and request.side in (2, 3) and request.size):
        check_size(listing, request.size, market=request.price is None)
    if request.price is not None:
        check_price(listing, request.price)
    _check_presets(listing, request.presets)
    if not request.plan_order_id:
        check_client_id(account, request.client_order_id)


def _check_presets(listing: Listing, presets: Presets) -> None:
    for price in (presets.take_profit, presets.stop_loss):
        if price:
            check_price(listing, price)


def _check_margin(account: Account, request: NewOrder, price: Decimal, leverage: int) -> None:
    opening = account.opening_part(request.symbol, request.side, request.size)
    value = price * opening * account.listing(request.symbol).contract_size
    check_bracket(account, request, value, leverage)
    needed = margin(value, leverage, LONG if request.side == 1 else SHORT) + value * TAKER
    if opening and needed > account.available:
        raise Refused(Code.NO_MARGIN)


def _protective_price(listing: Listing, tick: Tick, *, buys: bool) -> Decimal:
    far = tick.far(buys=buys)
    ticks = far * (1 + WORST_RATIO if buys else 1 - WORST_RATIO) / listing.tick
    whole = ticks.to_integral_value(ROUND_CEILING if buys else ROUND_FLOOR)
    return max(Decimal(1), whole) * listing.tick


def place_plan(matching: Matching, plan: Plan) -> Plan:
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
    plan = replace(plan, order_id=account.take_number())
    _put_and_announce(matching, plan)
    return plan


def protection_plan(
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
        position_mode=account.wallet.position_mode,
        created_ms=at_ms,
        updated_ms=at_ms,
    )


def arm_presets(matching: Matching, order: Order, at_ms: int) -> None:
    """After a fill: the stop and target attached to the order become plans, as large as what was filled."""
    account, when = matching.account, matching.rules.preset_on_partial
    if order.presets == NO_PRESETS or when == "never" or (when == "complete" and order.filled < order.size):
        return
    for stop, price, price_type in (
        (True, order.presets.stop_loss, order.presets.stop_loss_type),
        (False, order.presets.take_profit, order.presets.take_profit_type),
    ):
        if not price:
            continue
        kind = "stop_loss" if stop else "take_profit"
        armed = [
            plan for plan in account.plans.values() if plan.carrier == order.order_id and plan.kind == kind
        ]
        if armed:
            if armed[0].state != OVER:
                account.put(replace(armed[0], size=order.filled, updated_ms=at_ms))
            continue
        plan = protection_plan(
            account,
            order.symbol,
            stop=stop,
            side=3 if order.buys else 2,
            trigger_price=price,
            price_type=price_type or LAST_PRICE,
            at_ms=at_ms,
        )
        sized = replace(plan, order_id=account.take_number(), size=order.filled, carrier=order.order_id)
        _put_and_announce(matching, sized)


def _put_and_announce(matching: Matching, plan: Plan) -> None:
    matching.account.put(plan)
    matching.events.append(Event(SUBMITTED, plan))


def check_position_open(account: Account, symbol: str, side: int) -> None:
    """A stop or target needs a position to protect."""
    if side not in (2, 3):
        raise Refused(Code.BAD_SIDE)
    if not account.position(symbol, SHORT if side == 2 else LONG).size:
        raise Refused(Code.NO_POSITION)
