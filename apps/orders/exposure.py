"""What the account has open, reserved and lost: the orders room's part of the account's state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Exists, OuterRef

from apps.engine.values.account import Exposure, SymbolState
from apps.engine.values.order import OrderStatus
from apps.engine.values.position import Side
from apps.orders.models import ExchangeOrder, OrderPlan, Position, Protection, RiskDay, SymbolLock
from apps.orders.statuses import OPEN_ORDER, RESTING_PROTECTION

CONSUMED_FOR = timedelta(days=2)
"""How long used-up decisions are told: an older candle decides nothing any more."""

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
    """The account now. Exposures: every alive lock's plan at full size, then what is there without a plan.

    `contract_sizes` gives the coins a contract of symbols traded without a plan, as far as they are known.
    """
    locks = _locks(account)
    orders = list(ExchangeOrder.objects.filter(account=account, status__in=OPEN_ORDER))
    positions = list(Position.objects.filter(account=account, closed_at=None))
    rows: list[ExchangeOrder | Position] = [*orders, *positions]
    unplanned = [row for row in rows if row.plan_id is None]
    sizes = contract_sizes(sorted({row.symbol for row in unplanned})) if unplanned else {}
    sized = [row for row in unplanned if row.symbol in sizes]
    return AccountExposure(
        symbols=_symbols(account, symbols, now, locks, orders, positions),
        exposures=(
            *(_planned(lock.plan) for lock in locks),
            *(_other(row, sizes[row.symbol]) for row in sized),
        ),
        unsized=tuple(sorted({row.symbol for row in unplanned} - set(sizes))),
        lost_today=_lost_today(account, now),
    )


def _locks(account: str) -> list[SymbolLock]:
    rows = SymbolLock.objects.filter(account=account, released_at=None).select_related("plan")
    wanted = ("decision_key", "profile", "symbol", "side", "notional_usdt", "risk_usdt")
    return list(rows.only("symbol", *(f"plan__{name}" for name in wanted)).order_by("id"))


def _symbols(
    account: str,
    symbols: Sequence[str],
    now: datetime,
    locks: Iterable[SymbolLock],
    orders: Iterable[ExchangeOrder],
    positions: Iterable[Position],
) -> dict[str, SymbolState]:
    locked_by = {lock.symbol: lock.plan.decision_key for lock in locks}
    occupied = {row.symbol for row in orders} | {row.symbol for row in positions}
    occupied |= _protected(account, symbols)
    unknown = {row.symbol for row in orders if row.status == OrderStatus.UNKNOWN.value}
    used = _used(account, symbols, now)
    return {
        symbol: replace(
            used[symbol],
            locked_by=locked_by.get(symbol),
            occupied=symbol in occupied,
            unknown=symbol in unknown,
        )
        for symbol in symbols
    }


def _protected(account: str, symbols: Sequence[str]) -> set[str]:
    rows = Protection.objects.filter(account=account, symbol__in=list(symbols), status__in=RESTING_PROTECTION)
    return set(rows.values_list("symbol", flat=True))


def _used(account: str, symbols: Sequence[str], now: datetime) -> dict[str, SymbolState]:
    """Decisions used up; the leverage of the last plan that might leave, where its order was taken."""
    states = dict.fromkeys(symbols, SymbolState())
    rows = OrderPlan.objects.filter(
        account=account, symbol__in=list(symbols), plan_time__gte=now - CONSUMED_FOR
    )
    orders = ExchangeOrder.objects.filter(plan=OuterRef("pk"))
    asked = rows.annotate(might_leave=Exists(orders), taken=Exists(orders.exclude(exchange_order_id="")))
    wanted = ("symbol", "decision_key", "leverage", "might_leave", "taken")
    for symbol, key, leverage, might_leave, taken in asked.order_by("plan_time", "id").values_list(*wanted):
        state = states[symbol]
        known = (leverage if taken else None) if might_leave else state.leverage
        states[symbol] = replace(state, consumed=state.consumed | {key}, leverage=known)
    return states


def _lost_today(account: str, now: datetime) -> dict[str, Decimal]:
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


def _other(row: ExchangeOrder | Position, contract_size: Decimal) -> Exposure:
    """At its price, and at risk down to its stop if it has one."""
    price = row.price if isinstance(row, ExchangeOrder) else row.entry_price
    coins = row.size * contract_size
    return Exposure(
        decision_key=row.decision_key,
        profile=row.profile,
        symbol=row.symbol,
        side=Side(row.side),
        notional=price * coins,
        risk=NOTHING if row.stop_price is None else abs(price - row.stop_price) * coins,
    )
