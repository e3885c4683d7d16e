"""The rest of an entry whose time is almost over, planned anew at the far side of the book: same stop, same
target, same leverage, and no more at risk in all than the decision may lose."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from apps.engine.enter.entry_price import worst_price
from apps.engine.enter.observation import Market, Observation, entry_market
from apps.engine.enter.plan import AT_ONCE, SEND_WITHIN_S
from apps.engine.enter.sizing import AVAILABLE_RATIO, loss_at_stop
from apps.engine.profile import EntrySettings
from apps.engine.values.book import RestPlan, TrackedOrder
from apps.engine.values.order import Role, client_order_id
from apps.engine.values.plan import Bound, OrderPlan, Sizing
from apps.engine.values.position import Side
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.tick import round_down


def rest_plan(
    plan: OrderPlan, order: TrackedOrder, observation: Observation, entry: EntrySettings, now: datetime
) -> RestPlan | Refusal:
    """Return what `order` of `plan`, which is over, left unfilled, as one that takes from the book now.

    The mark must still be in the zone and the spread narrow, as when it was taken back.
    """
    fallback, zone = order.entry_rules.fallback, order.entry_rules.zone
    if fallback is None or zone is None or order.fallback_before is None or entry.slippage_guard_bps is None:
        raise ValueError(f"{order.client_order_id}: nothing was said of taking its rest from the book")
    market = entry_market(observation, entry, plan.timeframe, now)
    if isinstance(market, Refusal):
        return market
    quote = market.quote
    if quote.spread_bps > fallback.max_spread_bps:
        numbers = {"spread_bps": quote.spread_bps, "limit_bps": fallback.max_spread_bps}
        return Refusal(Reason.MARKET_ORDER_SPREAD_TOO_WIDE, numbers)
    if zone.distance(quote.mark) > 0:
        numbers = {"zone_low": zone.low, "zone_high": zone.high, "mark": quote.mark}
        return Refusal(Reason.ENTRY_NOT_WITHIN_ZONE, numbers)

    price = worst_price(quote, plan.side, entry.slippage_guard_bps, market.contract.tick_size)
    wrong = _exits_refusal(plan, quote.last, price)
    if wrong is not None:
        return wrong
    sized = _rest_sizing(plan, order, market, entry, price)
    if isinstance(sized, Refusal):
        return sized
    sizing, total = sized
    attempt = order.attempt + 1
    send_before = min(now + timedelta(seconds=SEND_WITHIN_S), order.fallback_before)
    rest = replace(
        plan,
        client_order_id=client_order_id(Role.ENTRY, plan.decision_key, attempt=attempt),
        quote=quote,
        entry=price,
        sizing=sizing,
        created_at=now,
        send_before=send_before,
        expires_at=send_before,
        entry_rules=AT_ONCE,
    )
    return RestPlan(order, rest, total)


def _exits_refusal(plan: OrderPlan, last: Decimal, price: Decimal) -> Refusal | None:
    """Refuse where the stop would fire at once, or nothing lies between the price and a target."""
    sign = 1 if plan.side == Side.LONG else -1
    numbers = {"entry": price, "last": last, "stop": plan.stop, "target": plan.target}
    if sign * (min(price, last, key=lambda each: sign * each) - plan.stop) <= 0:
        return Refusal(Reason.STOP_INVALID, numbers)
    first = plan.target if plan.exits.first_target is None else plan.exits.first_target
    if sign * (first - max(price, last, key=lambda each: sign * each)) <= 0:
        return Refusal(Reason.TARGET_INVALID, numbers | {"first_target": first})
    return None


def _rest_sizing(
    plan: OrderPlan, order: TrackedOrder, market: Market, entry: EntrySettings, price: Decimal
) -> tuple[Sizing, Sizing] | Refusal:
    """Return the rest that may be taken at `price` at the plan's leverage, and the whole decision with it.

    The loss of a contract is as in `sizing`; what is filled counts at its own price.
    """
    contract, equity, leverage = market.contract, market.account.equity, plan.leverage
    unit, loss = (
        price * contract.contract_size,
        loss_at_stop(market, entry, price, plan.stop),
    )  # of one contract
    held = order.filled * order.average_price * contract.contract_size
    held_risk = order.filled * loss_at_stop(market, entry, order.average_price, plan.stop)
    budget = min(plan.sizing.risk_budget, equity * entry.risk_pct / 100)
    share = equity * entry.margin_pct / 100
    ceiling = share if entry.max_margin_usdt is None else min(share, entry.max_margin_usdt)
    margin = min(ceiling - held / leverage, AVAILABLE_RATIO * market.account.available)
    brackets = [bracket for bracket in market.brackets if bracket.max_leverage >= leverage]
    if not brackets:
        return Refusal(Reason.LEVERAGE_OUT_OF_RANGE, {"leverage": leverage})
    size, bound = min(
        ((budget - held_risk) / loss, Bound.RISK),
        (order.size - order.filled, plan.sizing.bound),
        ((brackets[-1].notional_cap - held) / unit, Bound.BRACKET),
        (margin * leverage / unit, Bound.MARGIN),
        key=lambda choice: choice[0],
    )
    size = round_down(max(size, Decimal(0)), contract.volume_step)
    if size < contract.min_volume or size <= 0:
        numbers = {"size": size, "min_volume": contract.min_volume, "bound": str(bound), "budget": budget}
        return Refusal(Reason.SIZE_BELOW_MIN_VOLUME, numbers | {"filled": order.filled, "at_risk": held_risk})
    notional = size * unit
    maintenance = next(each.maintenance_ratio for each in brackets if held + notional <= each.notional_cap)
    distance = price * (1 / Decimal(leverage) - maintenance - market.taker)
    if distance < entry.liquidation_min_ratio * abs(price - plan.stop):
        numbers = {"leverage": leverage, "liquidation_distance": distance, "entry": price, "stop": plan.stop}
        return Refusal(Reason.LIQUIDATION_TOO_CLOSE, numbers)
    rest = Sizing(size, leverage, bound, equity, budget, size * loss, notional, notional / leverage, distance)
    return rest, replace(
        rest,
        size=size + order.filled,
        risk=rest.risk + held_risk,
        notional=notional + held,
        margin=(notional + held) / leverage,
    )
