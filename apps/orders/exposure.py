"""What the account has open, reserved and lost: the orders room's part of the account's state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from apps.engine.values.order import OrderStatus
from apps.engine.values.side import Side
from apps.engine.values.state import Exposure, SymbolState
from apps.orders.models import ExchangeOrder, OrderPlan, Position, Protection, RiskDay, SymbolLock
from apps.orders.statuses import OPEN_ORDER, RESTING_PROTECTION

CONSUMED_FOR = timedelta(days=2)
NOTHING = Decimal(0)
REACHED = (OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED, OrderStatus.EXPIRED)
"""An order that got so far was accepted with its plan's leverage."""


def exposures(account: str, contract_sizes: Mapping[str, Decimal]) -> tuple[Exposure, ...]:
    """Every alive lock's plan at full size; then what is there without a plan, at its price and stop.

    `contract_sizes` holds the coins a contract for symbols without a plan; KeyError when one is missing.
    """
    locks = SymbolLock.objects.filter(account=account, released_at=None).select_related("plan")
    planned = [_planned(lock.plan) for lock in locks.order_by("id")]
    orders = ExchangeOrder.objects.filter(account=account, plan=None, status__in=OPEN_ORDER)
    positions = Position.objects.filter(account=account, plan=None, closed_at=None)
    others = [
        *(_other(row, row.price, contract_sizes[row.symbol]) for row in orders),
        *(_other(row, row.entry_price, contract_sizes[row.symbol]) for row in positions),
    ]
    return (*planned, *others)


def unplanned(account: str) -> list[str]:
    """The symbols whose contract size `exposures` will ask for."""
    orders = ExchangeOrder.objects.filter(account=account, plan=None, status__in=OPEN_ORDER)
    positions = Position.objects.filter(account=account, plan=None, closed_at=None)
    return sorted(
        {symbol for each in (orders, positions) for symbol in each.values_list("symbol", flat=True)}
    )


def symbol_states(account: str, symbols: Sequence[str], now: datetime) -> dict[str, SymbolState]:
    """Lock, open things, doubts and used-up decisions of each of `symbols`; cooldowns are not ours."""
    here = {"account": account, "symbol__in": list(symbols)}
    states = dict.fromkeys(symbols, SymbolState())
    for symbol in _occupied(here):
        states[symbol] = replace(states[symbol], occupied=True)
    doubtful = ExchangeOrder.objects.filter(**here, status=OrderStatus.UNKNOWN.value)
    for symbol in doubtful.values_list("symbol", flat=True):
        states[symbol] = replace(states[symbol], unknown=True)
    for lock in SymbolLock.objects.filter(**here, released_at=None).select_related("plan"):
        states[lock.symbol] = replace(states[lock.symbol], locked_by=lock.plan.decision_key)
    plans = OrderPlan.objects.filter(**here, plan_time__gte=now - CONSUMED_FOR).order_by("plan_time", "id")
    for plan in plans:
        state = states[plan.symbol]
        states[plan.symbol] = replace(
            state,
            consumed=state.consumed | {plan.decision_key},
            leverage=plan.leverage if plan.status in REACHED else state.leverage,
        )
    return states


def lost_today(account: str, now: datetime) -> dict[str, Decimal]:
    """Profile → realised loss of the UTC day, net, positive for a loss."""
    days = RiskDay.objects.filter(account=account, day=now.date())
    return {profile: -realised for profile, realised in days.values_list("profile", "realised_usdt")}


def _planned(plan: OrderPlan) -> Exposure:
    return Exposure(
        decision_key=plan.decision_key,
        profile=plan.profile,
        symbol=plan.symbol,
        side=Side(plan.side),
        notional=plan.notional_usdt,
        risk=plan.risk_usdt,
    )


def _other(row: ExchangeOrder | Position, price: Decimal, contract_size: Decimal) -> Exposure:
    coins = row.size * contract_size
    risk = NOTHING if row.stop_price is None else abs(price - row.stop_price) * coins
    return Exposure(
        decision_key=row.decision_key,
        profile=row.profile,
        symbol=row.symbol,
        side=Side(row.side),
        notional=price * coins,
        risk=risk,
    )


def _occupied(here: Mapping[str, object]) -> set[str]:
    rows = (
        ExchangeOrder.objects.filter(**here, status__in=OPEN_ORDER),
        Position.objects.filter(**here, closed_at=None),
        Protection.objects.filter(**here, status__in=RESTING_PROTECTION),
    )
    return {symbol for each in rows for symbol in each.values_list("symbol", flat=True)}
