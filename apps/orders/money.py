"""The account's money as the exchange tells it: equity points and ledger lines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from apps.engine.values.position import Account, Transaction, TransactionKind
from apps.orders import result
from apps.orders.models import AccountTransaction, EquityPoint, Position


def save_equity(account: str, worth: Account, at: datetime) -> None:
    """One point; the same moment twice is the later reading."""
    EquityPoint.objects.update_or_create(
        account=account,
        at=at,
        defaults={
            "available": worth.available,
            "frozen": worth.frozen,
            "position_margin": worth.position_margin,
            "unrealised": worth.unrealised,
            "equity": worth.equity,
        },
    )


def newest_transaction_at(account: str) -> datetime | None:
    """The time of the newest stored line; None when there is none."""
    times = AccountTransaction.objects.filter(account=account).order_by("-at")
    return times.values_list("at", flat=True).first()


def save_transactions(account: str, transactions: Iterable[Transaction]) -> int:
    """Store those not stored yet; how many. Funding that comes late is reckoned into its closed position."""
    new = [one for one in transactions if _insert(account, one)]
    for one in new:
        if one.kind is TransactionKind.FUNDING:
            _settle_again(account, one)
    return len(new)


def _insert(account: str, one: Transaction) -> bool:
    _, made = AccountTransaction.objects.get_or_create(
        account=account,
        transaction_id=one.transaction_id,
        kind=one.kind.value,
        symbol=one.symbol,
        defaults={"amount": one.amount, "at": one.at},
    )
    return made


def _settle_again(account: str, one: Transaction) -> None:
    held = Position.objects.filter(
        account=account, symbol=one.symbol, opened_at__lte=one.at, closed_at__gte=one.at
    )
    for position in held:
        result.settle(position)
