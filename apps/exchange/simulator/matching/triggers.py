"""What a tick sets off: the dead man's switch, liquidation, stops, plans, targets, then resting limits.

And funding. Where a recorded minute does not say what came first, nor what a stop got, the rules may decide
against the account: a stop comes first, and slips.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from apps.exchange.simulator.account.account import Account
from apps.exchange.simulator.account.margin import is_liquidated, position_margin
from apps.exchange.simulator.account.rows import Order, Plan, Position
from apps.exchange.simulator.codes import (
    BUYS,
    CLEARANCE,
    CLOSE_LONG,
    CLOSE_SHORT,
    FUNDING,
    IOC,
    LAST_PRICE,
    LIVE,
    LONG,
    RISES,
    Refused,
)
from apps.exchange.simulator.matching import orders
from apps.exchange.simulator.matching.matching import CANCELLED, MATCHED, Level, Matching, Tick
from apps.exchange.simulator.matching.new_order import NewOrder, frozen_contracts

STOPS_FIRST = {"stop_loss": 0, "plan": 1, "trailing": 2, "take_profit": 3}


def play_tick(matching: Matching, tick: Tick) -> None:
    """Let one tick of a contract happen to the account."""
    account = matching.account
    contract = account.contract(tick.symbol)
    if contract.cancel_at_ms and contract.cancel_at_ms <= tick.at_ms:
        account.put(replace(contract, cancel_at_ms=0))
        matching.cancel_all_by_dead_man(tick.symbol, contract.cancel_at_ms)
    listing = account.listing(tick.symbol)
    for position in account.open_positions(tick.symbol):
        if is_liquidated(listing, position, tick.mark):
            liquidate(matching, position, tick)
    # Every plan whose trigger is reached becomes an order that is matched at once.
    plans = account.live_plans(tick.symbol)
    for waiting in sorted(plans, key=lambda plan: (STOPS_FIRST[plan.kind], plan.order_id)):
        plan = account.plans[waiting.key]
        if not account.is_live(plan):
            continue
        if _track_trigger(matching, plan, tick) or stop_comes_first(matching, plan, tick):
            _place_triggered(matching, plan, stop_tick(matching, plan, tick))
    matching.fill_resting(tick)


def _track_trigger(matching: Matching, plan: Plan, tick: Tick) -> bool:
    """Return whether the trigger is reached; store a trailing plan's best price, from its activation on."""
    price = tick.last if plan.price_type == LAST_PRICE else tick.mark
    if plan.kind != "trailing":
        return is_reached(plan, price)
    buys = plan.side in BUYS
    if not plan.peak and not is_reached(plan, price):
        return False
    best = (min if buys else max)(price, plan.peak or price)
    if best != plan.peak:
        matching.account.put(replace(plan, peak=best, updated_ms=tick.at_ms))
    back = best * plan.callback_pct / 100
    return price >= best + back if buys else price <= best - back


def _place_triggered(matching: Matching, plan: Plan, tick: Tick) -> None:
    """Place the order PLAN_<id> and let it match; cancel a plan that cannot become an order."""
    account = matching.account
    size = plan.size
    if plan.protects:
        # It closes at most what is held; resting closing orders in its way are cancelled.
        held = account.position(plan.symbol, plan.closes)
        size = min(plan.size, held.size) if plan.size else held.size
        if size > held.size - frozen_contracts(account, held):
            matching.cancel_closing(plan.symbol, plan.closes, tick.at_ms)
    request = NewOrder(
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
        order = orders.place_order(account, request, tick)
    except Refused:
        matching.finish(account.plans[plan.key], CANCELLED, tick.at_ms)
        return
    matching.finish(account.plans[plan.key], MATCHED, tick.at_ms)
    matching.approve(order, tick)


STOP, TARGET = "stop_loss", "take_profit"


def is_reached(plan: Plan, price: Decimal) -> bool:
    return price >= plan.trigger_price if plan.price_way == RISES else price <= plan.trigger_price


def stop_comes_first(matching: Matching, plan: Plan, tick: Tick) -> bool:
    """Whether a target of the same position is reached now, and the minute's candle reaches this stop too."""
    if not matching.rules.stop_first or plan.kind != STOP or plan.price_type != LAST_PRICE:
        return False
    within = is_reached(plan, tick.high if plan.price_way == RISES else tick.low)
    return within and any(
        other.kind == TARGET and other.closes == plan.closes and is_reached(other, tick.last)
        for other in matching.account.live_plans(plan.symbol)
    )


def stop_tick(matching: Matching, plan: Plan, tick: Tick) -> Tick:
    """Return a stop's tick: at its trigger where the stop came first, and worse by the slippage."""
    rules, bps = matching.rules, matching.rules.stop_slippage_bps
    came_first = rules.stop_first and plan.price_type == LAST_PRICE and not is_reached(plan, tick.last)
    if plan.kind != STOP or not (came_first or bps):
        return tick
    moved = plan.trigger_price - tick.last if came_first else Decimal(0)
    listing = matching.account.listing(plan.symbol)

    def levels(buys: bool) -> list[Level]:
        share, rounding = (
            1 + bps / 10_000 if buys else 1 - bps / 10_000,
            ROUND_CEILING if buys else ROUND_FLOOR,
        )
        step = listing.tick
        moved_levels = []
        for price, size in tick.levels(buys):
            whole = ((price + moved) * share / step).to_integral_value(rounding)
            moved_levels.append((max(Decimal(1), whole) * step, size))
        return moved_levels

    return replace(tick, levels=levels)


def liquidate(matching: Matching, position: Position, tick: Tick) -> None:
    """Close it whole by an order of type liquidate. It costs its margin, never more or less.

    The clearance takes what is left of the margin, or gives what the mark price had run beyond it.
    """
    account = matching.account
    at_stake = position_margin(account.listing(position.symbol), position)
    matching.cancel_closing(position.symbol, position.position_type, tick.at_ms)
    wallet = account.wallet.cash
    number = account.take_number()
    order = Order(
        order_id=number,
        symbol=position.symbol,
        side=CLOSE_LONG if position.position_type == LONG else CLOSE_SHORT,
        kind="liquidate",
        mode=IOC,
        price=tick.mark,
        size=position.size,
        leverage=position.leverage,
        open_type=position.open_type,
        position_mode=account.wallet.position_mode,
        created_ms=tick.at_ms,
        updated_ms=tick.at_ms,
        queued=number,
        state=LIVE,
    )
    account.put(order)
    matching.fill(order, tick.mark, position.size, maker=False, at_ms=tick.at_ms)
    lost = wallet - account.wallet.cash
    account.book_line(CLEARANCE, lost - at_stake, position.symbol, tick.at_ms)


def pay_funding(account: Account, tick: Tick, rate: Decimal) -> None:
    """Each position of the contract pays notional at the mark price x rate; longs when it is positive."""
    coins = account.listing(tick.symbol).contract_size
    for held in account.open_positions(tick.symbol):
        notional = held.size * coins * tick.mark
        paid = notional * rate if held.position_type == LONG else -notional * rate
        account.put(replace(held, funding=held.funding + paid, updated_ms=tick.at_ms))
        account.book_line(FUNDING, -paid, tick.symbol, tick.at_ms)
