"""Our fills, each stored once under its position, and what a closed position made of them.

Its result comes from its fills and funding; its excursion (MFE, MAE) from 1m candles, measured later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.functions import Coalesce

from apps.db.bookkeeping import Attempt, bookkeeping, write_rows
from apps.engine.follow.excursion import Excursion
from apps.engine.values.order import Fill as FillValue
from apps.engine.values.position import Side, TransactionKind
from apps.orders.models import AccountTransaction, ExchangeOrder, Fill, Position, RiskDay

ZERO = Decimal(0)

CLOCK_DRIFT = timedelta(seconds=5)
"""How much earlier than our plan the exchange may date its fill: beyond 3 s of drift nothing is traded."""

EXCURSION_COLUMNS = {
    "best": "best_price",
    "worst": "worst_price",
    **{name: name for name in ("mfe_pct", "mae_pct", "mfe_r", "mae_r")},
}
"""What an excursion's value and a position's column call it."""


@dataclass(frozen=True, slots=True)
class ClosedPosition:
    """From its first opening to its last closing trade. `stop` as planned."""

    position_id: int
    symbol: str
    side: Side
    entry: Decimal
    stop: Decimal | None
    began: datetime
    ended: datetime


def save_fills(account: str, fills: Sequence[FillValue]) -> set[FillValue]:
    """Store those that are not, by trade id; each gets its order and position if they are known. Return what
    is stored.

    An order may fill in hundreds of parts: they are written together or, when that fails, one by one. What
    cannot be written comes again with the next read; what it moved, the position's report tells.
    """
    left, _ = write_rows("fill", fills, lambda some: _store_fills(account, some), shown=_numbers)
    stored = set(fills) - set(left)
    for symbol, side in sorted({(fill.symbol, fill.side) for fill in stored}):
        attach_fills(account, symbol, side)
    return stored


def _store_fills(account: str, fills: Sequence[FillValue]) -> None:
    """Insert them with the orders that are known of them; what is stored already stays as it is."""
    ids = {fill.exchange_order_id for fill in fills}
    rows = ExchangeOrder.objects.for_account(account).filter(exchange_order_id__in=ids).order_by("-pk")
    orders = {row.exchange_order_id: row for row in rows}
    Fill.objects.bulk_create(
        (
            Fill(
                account=account,
                symbol=fill.symbol,
                trade_id=fill.trade_id,
                order=orders.get(fill.exchange_order_id),
                exchange_order_id=fill.exchange_order_id,
                side=fill.side,
                opens=fill.opens,
                price=fill.price,
                size=fill.size,
                fee=fill.fee,
                realised=fill.realised,
                is_maker=fill.is_maker,
                at=fill.at,
            )
            for fill in fills
        ),
        ignore_conflicts=True,
    )


def attach_fills(account: str, symbol: str, side: str) -> Attempt:
    """Give fills without a position to the one they belong to, and reckon a closed one again: together or,
    when that fails, one by one.

    Both or neither, so that a result that cannot be written is reckoned again at the next look.
    """
    rows = Fill.objects.filter(account=account, symbol=symbol, side=side, position=None).order_by("at")
    loose: list[Fill] = []
    with bookkeeping("loose_fills", symbol=symbol, side=side) as attempt:
        loose = list(rows.select_related("order"))
    if attempt.fault is None:
        _, attempt = write_rows("fill_of_position", loose, _give_position, shown=_numbers)
    return attempt


def _numbers(fill: FillValue | Fill) -> dict[str, object]:
    names = ("symbol", "trade_id", "price", "size", "fee", "realised")
    return {name: getattr(fill, name) for name in names}


def _give_position(fills: Sequence[Fill]) -> None:
    """Store the position of these fills of one side of a symbol, and reckon those again that are closed.

    First of those whose order says it: which position lacks a fill is then known for the others.
    """
    decided: dict[str, list[Fill]] = {}
    others: list[Fill] = []
    for fill in fills:
        key = "" if fill.order is None else fill.order.decision_key
        (decided.setdefault(key, []) if key else others).append(fill)
    changed: dict[int, Position] = {}
    for together in [*decided.values(), *([fill] for fill in others)]:
        position = _position_of(together[0])
        if position is not None:
            Fill.objects.filter(pk__in=[fill.pk for fill in together]).update(position=position)
            changed[position.pk] = position
    for position in changed.values():
        if position.closed_at is not None:
            settle_position(position)


def try_settle_position(position: Position) -> Attempt:
    """Settle it where nothing else may fail with it; `save_missing_results` does it again if it failed."""
    numbers = {"position": position.pk, "risk_usdt": position.risk_usdt}
    with bookkeeping("result", symbol=position.symbol, **numbers) as attempt:
        settle_position(position)
    return attempt


def settle_position(position: Position) -> None:
    """Reckon a closed position (again) and its day: net = gross of its fills − fees + funding.

    Its excursion is measured again at the next look, perhaps over another time.
    """
    assert position.closed_at is not None, "only a closed position has a result"
    fills = list(position.fills.all())
    closing = [fill for fill in fills if not fill.opens]
    closed_size = sum((fill.size for fill in closing), ZERO)
    closed_value = sum((fill.price * fill.size for fill in closing), ZERO)
    funding = AccountTransaction.objects.filter(
        account=position.account,
        symbol=position.symbol,
        kind=TransactionKind.FUNDING,
        at__gte=position.opened_at,
        at__lte=position.closed_at,
    )
    position.exit_price = closed_value / closed_size if closed_size else None
    position.gross_usdt = sum((fill.realised for fill in fills), ZERO)
    position.fees_usdt = sum((fill.fee for fill in fills), ZERO)
    position.funding_usdt = funding.aggregate(sum=Sum("amount"))["sum"] or ZERO
    position.realised_usdt = position.gross_usdt - position.fees_usdt + position.funding_usdt
    position.r_multiple = position.realised_usdt / position.risk_usdt if position.risk_usdt else None
    for column in EXCURSION_COLUMNS.values():
        setattr(position, column, None)
    position.save()

    # the day's row from all its positions: reckoning twice changes nothing
    day = position.closed_at.date()
    closed = Position.objects.for_account(position.account).filter(profile=position.profile)
    sums = closed.filter(closed_at__date=day).aggregate(
        trades=Count("id"),
        wins=Count("id", filter=Q(realised_usdt__gt=0)),
        realised_usdt=Sum("realised_usdt"),
        fees_usdt=Sum("fees_usdt"),
    )
    RiskDay.objects.update_or_create(
        account=position.account,
        profile=position.profile,
        day=day,
        defaults=sums | {"updated_at": position.updated_at},
    )


def save_missing_results(account: str, *, since: datetime) -> None:
    """Write what could not be written since then: fills without their position, and results."""
    loose: list[tuple[str, str]] = []
    unsettled: list[Position] = []
    with bookkeeping("results", since=since):
        rows = Fill.objects.filter(account=account, position=None, at__gte=since)
        loose = sorted(set(rows.values_list("symbol", "side")))
        closed = Position.objects.for_account(account).closed_since(since).filter(exit_price=None)
        unsettled = list(closed.filter(fills__opens=False).distinct())
    for symbol, side in loose:
        if attach_fills(account, symbol, side).busy:
            return
    for position in unsettled:
        if try_settle_position(position).busy:
            return


def positions_without_excursion(account: str, *, closed_since: datetime) -> list[ClosedPosition]:
    """Return the positions closed since then without an excursion, the newest first."""
    closed = Position.objects.for_account(account).closed_since(closed_since)
    spans = closed.filter(best_price=None, entry_price__gt=0).annotate(
        began=Coalesce(Min("fills__at", filter=Q(fills__opens=True)), "opened_at"),
        ended=Coalesce(Max("fills__at", filter=Q(fills__opens=False)), "closed_at"),
    )
    columns = ("pk", "symbol", "side", "entry_price", "plan__stop_price", "began", "ended")
    return [
        ClosedPosition(key, symbol, Side(side), entry, stop, began, ended)
        for key, symbol, side, entry, stop, began, ended in spans.order_by("-closed_at").values_list(*columns)
    ]


@transaction.atomic
def save_excursion(position_id: int, excursion: Excursion) -> None:
    """Store what was measured of a closed position."""
    values = {column: getattr(excursion, name) for name, column in EXCURSION_COLUMNS.items()}
    Position.objects.filter(pk=position_id).update(**values)


def _position_of(fill: Fill) -> Position | None:
    """Find it by the order's decision where known, else the newest position of that side begun before it."""
    positions = Position.objects.for_account(fill.account).filter(symbol=fill.symbol, side=fill.side)
    newest = positions.select_related("plan").order_by("-opened_at", "-id")
    if fill.order is not None and fill.order.decision_key:
        return newest.filter(decision_key=fill.order.decision_key).first()
    for position in newest:
        plan = position.plan
        begun = position.opened_at if plan is None else min(position.opened_at, plan.plan_time)
        is_complete = position.closed_at is not None and not positions.filter(pk=position.pk).missing_fills()
        if fill.at >= begun - CLOCK_DRIFT and not is_complete:
            return position
    return None
