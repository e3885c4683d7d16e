"""What a tick sets off: the dead man's switch, liquidation, stops, plans, targets, then resting limits."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from apps.exchange.simulator import orders
from apps.exchange.simulator.checks import frozen_volume
from apps.exchange.simulator.errors import Refused
from apps.exchange.simulator.liquidation import liquidate
from apps.exchange.simulator.margin import is_doomed
from apps.exchange.simulator.matching import CANCELLED, MATCHED, Matching
from apps.exchange.simulator.pessimism import is_reached, slipped, stop_comes_first
from apps.exchange.simulator.rows import Plan
from apps.exchange.simulator.tick import Tick
from apps.exchange.simulator.wish import Wish
from apps.exchange.simulator.words import BUYS, LAST_PRICE

STOPS_FIRST = {"stop_loss": 0, "plan": 1, "trailing": 2, "take_profit": 3}


def play(matching: Matching, tick: Tick) -> None:
    """Let one tick of a contract happen to the account."""
    account = matching.account
    contract = account.contract(tick.symbol)
    if contract.cancel_at_ms and contract.cancel_at_ms <= tick.at_ms:
        account.put(replace(contract, cancel_at_ms=0))
        matching.cancel_all(tick.symbol, contract.cancel_at_ms)
    listing = account.listing(tick.symbol)
    for position in account.held(tick.symbol):
        if is_doomed(listing, position, tick.mark):
            liquidate(matching, position, tick)
    _fire_due(matching, tick)
    matching.rest(tick)


def _fire_due(matching: Matching, tick: Tick) -> None:
    """Turn every plan whose trigger is reached into an order that is matched at once."""
    plans = matching.account.live_plans(tick.symbol)
    for known in sorted(plans, key=lambda plan: (STOPS_FIRST[plan.kind], plan.order_id)):
        plan = matching.account.plans[known.key]
        if not matching.account.is_live(plan):
            continue
        if _is_due(matching, plan, tick) or stop_comes_first(matching, plan, tick):
            _fire(matching, plan, slipped(matching, plan, tick))


def _is_due(matching: Matching, plan: Plan, tick: Tick) -> bool:
    price = tick.last if plan.price_type == LAST_PRICE else tick.mark
    if plan.kind == "trailing":
        return _has_turned(matching, plan, price, tick.at_ms)
    return is_reached(plan, price)


def _has_turned(matching: Matching, plan: Plan, price: Decimal, at_ms: int) -> bool:
    """A trailing order is active once its activation price was reached; then it follows the best price."""
    buys = plan.side in BUYS
    if not plan.peak and not is_reached(plan, price):
        return False
    best = (min if buys else max)(price, plan.peak or price)
    if best != plan.peak:
        matching.account.put(replace(plan, peak=best, updated_ms=at_ms))
    back = best * plan.callback_pct / 100
    return price >= best + back if buys else price <= best - back


def _fire(matching: Matching, plan: Plan, tick: Tick) -> None:
    """The order born of a plan is called PLAN_<id>; a plan that cannot become an order is cancelled."""
    account = matching.account
    size = _size(matching, plan, tick.at_ms)
    wish = Wish(
        symbol=plan.symbol,
        side=plan.side,
        size=size,
        price=plan.executive_price or None,
        mode=plan.mode,
        leverage=plan.leverage if plan.side in (1, 4) else None,
        open_type=plan.open_type,
        client_order_id=f"PLAN_{plan.order_id}",
        presets=plan.presets,
        plan_order_id=plan.order_id,
        trigger_price=plan.trigger_price,
    )
    try:
        order = orders.place(account, wish, tick)
    except Refused:
        matching.finish(account.plans[plan.key], CANCELLED, tick.at_ms)
        return
    matching.finish(account.plans[plan.key], MATCHED, tick.at_ms)
    matching.approve(order, tick)


def _size(matching: Matching, plan: Plan, at_ms: int) -> int:
    """A stop or target closes at most what is held; resting closing orders in its way are cancelled."""
    account = matching.account
    if not plan.protects:
        return plan.size
    held = account.position(plan.symbol, plan.closes)
    size = min(plan.size, held.size) if plan.size else held.size
    if size > held.size - frozen_volume(account, held):
        matching.cancel_closing(plan.symbol, plan.closes, at_ms)
    return size
