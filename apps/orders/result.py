"""What a closed position earned, from its own fills and funding."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django.db.models import Count, Q, Sum

from apps.db.bookkeeping import Attempt, bookkeeping
from apps.engine.values.position import TransactionKind
from apps.orders import excursions
from apps.orders.models import AccountTransaction, Fill, Position, RiskDay

ZERO = Decimal(0)


def try_settle_position(position: Position) -> Attempt:
    """Reckon it where nothing else may fail with it; `fills.catch_up` reckons what failed."""
    numbers = {"position": position.pk, "risk_usdt": position.risk_usdt}
    with bookkeeping("result", symbol=position.symbol, **numbers) as attempt:
        settle_position(position)
    return attempt


def settle_position(position: Position) -> None:
    """Reckon a closed position (again) and its day: net = gross of its fills − fees + funding."""
    assert position.closed_at is not None, "only a closed position has a result"
    fills = list(position.fills.all())
    position.exit_price = _average([fill for fill in fills if not fill.opens])
    position.gross_usdt = sum((fill.realised for fill in fills), ZERO)
    position.fees_usdt = sum((fill.fee for fill in fills), ZERO)
    position.funding_usdt = _funding(position)
    position.realised_usdt = position.gross_usdt - position.fees_usdt + position.funding_usdt
    position.r_multiple = position.realised_usdt / position.risk_usdt if position.risk_usdt else None
    excursions.clear_excursion(position)
    position.save()
    _reckon_day(position.account, position.profile, position.closed_at.date(), position.updated_at)


def _average(fills: list[Fill]) -> Decimal | None:
    size = sum((fill.size for fill in fills), ZERO)
    return sum((fill.price * fill.size for fill in fills), ZERO) / size if size else None


def _funding(position: Position) -> Decimal:
    rows = AccountTransaction.objects.filter(
        account=position.account,
        symbol=position.symbol,
        kind=TransactionKind.FUNDING.value,
        at__gte=position.opened_at,
        at__lte=position.closed_at,
    )
    return rows.aggregate(sum=Sum("amount"))["sum"] or ZERO


def _reckon_day(account: str, profile: str, day: date, now: datetime) -> None:
    """The day's row from its positions: reckoning twice changes nothing."""
    closed = Position.objects.filter(account=account, profile=profile, closed_at__date=day)
    sums = closed.aggregate(
        trades=Count("id"),
        wins=Count("id", filter=Q(realised_usdt__gt=0)),
        realised_usdt=Sum("realised_usdt"),
        fees_usdt=Sum("fees_usdt"),
    )
    RiskDay.objects.update_or_create(
        account=account, profile=profile, day=day, defaults=sums | {"updated_at": now}
    )
