"""What the account has open, reserved and lost: the orders room's part of the account's state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Exists, OuterRef

from apps.engine.values.account import Exposure, SymbolState
from apps.engine.values.order import OrderStatus
from apps.orders.models import ExchangeOrder, OrderPlan, Position, Protection, SymbolLock
from apps.orders.risk import lost_today

CONSUMED_FOR = timedelta(days=2)
"""How long used-up decisions are told: an older candle decides nothing any more."""

# What an exposure is told by: a plan's documents are large, and nobody reads them here.
OF_PLAN = tuple(
    f"plan__{name}" for name in ("decision_key", "profile", "symbol", "side", "notional_usdt", "risk_usdt")
)
OF_ROW = ("decision_key", "profile", "symbol", "side", "size", "stop_price")

NOTHING = Decimal(0)
ContractSizes = Callable[[Sequence[str]], Mapping[str, Decimal]]


@dataclass(frozen=True, slots=True)
class AccountExposure:
    """`symbols` without their cooldowns, which are not ours; `lost_today` as in AccountState.

    `unsized`: what is there without a plan and is in no exposure, as nobody knows the size of its contract.
    """

    symbols: Mapping[str, SymbolState]
    exposures: tuple[Exposure, ...]
    unsized: tuple[str, ...]
    lost_today: Mapping[str, Decimal]


def account_exposure(
    account: str, symbols: Sequence[str], now: datetime, contract_sizes: ContractSizes
) -> AccountExposure:
    """Return the account now. Exposures: every plan of which something may live, at full size, then what has
    no plan.

    `contract_sizes` gives the coins a contract of symbols traded without a plan, as far as they are known.
    """
    locks = SymbolLock.objects.for_account(account).alive().select_related("plan").order_by("id")
    plans = [lock.plan for lock in locks.only("symbol", *OF_PLAN)]
    open_orders = ExchangeOrder.objects.for_account(account).open().select_related("plan")
    orders = list(open_orders.only("status", "price", *OF_ROW, *OF_PLAN))
    open_positions = Position.objects.for_account(account).open().select_related("plan")
    positions = list(open_positions.only("entry_price", *OF_ROW, *OF_PLAN))
    resting = Protection.objects.for_account(account).resting().filter(symbol__in=list(symbols))

    rows: list[ExchangeOrder | Position] = [*orders, *positions]
    locked_by = {plan.symbol: plan.decision_key for plan in plans}
    # what lives counts, whoever holds its symbol's lock
    counted = {plan.pk: plan for plan in (*plans, *(row.plan for row in rows if row.plan is not None))}
    occupied = {row.symbol for row in rows} | set(resting.values_list("symbol", flat=True))
    unknown = {row.symbol for row in orders if row.status == OrderStatus.UNKNOWN}
    states = {
        symbol: replace(
            state,
            locked_by=locked_by.get(symbol),
            occupied=symbol in occupied,
            unknown=symbol in unknown,
        )
        for symbol, state in _states_by_plans(account, symbols, now).items()
    }

    unplanned = [row for row in rows if row.plan_id is None]
    sizes = contract_sizes(sorted({row.symbol for row in unplanned})) if unplanned else {}
    return AccountExposure(
        symbols=states,
        exposures=(
            *map(_planned_exposure, counted.values()),
            *(_unplanned_exposure(row, sizes[row.symbol]) for row in unplanned if row.symbol in sizes),
        ),
        unsized=tuple(sorted({row.symbol for row in unplanned} - set(sizes))),
        lost_today=lost_today(account, now),
    )


def _states_by_plans(account: str, symbols: Sequence[str], now: datetime) -> dict[str, SymbolState]:
    """Return decisions used up, and the leverage of the last plan that might leave if its order was taken."""
    states = dict.fromkeys(symbols, SymbolState())
    recent = OrderPlan.objects.for_account(account).filter(
        symbol__in=list(symbols), plan_time__gte=now - CONSUMED_FOR
    )
    orders = ExchangeOrder.objects.filter(plan=OuterRef("pk"))
    rows = recent.annotate(might_leave=Exists(orders), taken=Exists(orders.exclude(exchange_order_id="")))
    columns = ("symbol", "decision_key", "leverage", "might_leave", "taken")
    for symbol, key, leverage, might_leave, taken in rows.order_by("plan_time", "id").values_list(*columns):
        state = states[symbol]
        known = (leverage if taken else None) if might_leave else state.leverage
        states[symbol] = replace(state, consumed=state.consumed | {key}, leverage=known)
    return states


def _planned_exposure(plan: OrderPlan) -> Exposure:
    """Return the plan at full size, whatever of it is filled."""
    return Exposure(
        decision_key=plan.decision_key,
        profile=plan.profile,
        symbol=plan.symbol,
        side=plan.side,
        notional=plan.notional_usdt,
        risk=plan.risk_usdt,
    )


def _unplanned_exposure(row: ExchangeOrder | Position, contract_size: Decimal) -> Exposure:
    """Return it at its price, and at risk down to its stop if it has one."""
    price = row.price if isinstance(row, ExchangeOrder) else row.entry_price
    coins = row.size * contract_size
    return Exposure(
        decision_key=row.decision_key,
        profile=row.profile,
        symbol=row.symbol,
        side=row.side,
        notional=price * coins,
        risk=NOTHING if row.stop_price is None else abs(price - row.stop_price) * coins,
    )
