"""The account's money as the exchange reports it: equity points and ledger lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from apps.db.bookkeeping import bookkeeping, write_rows
from apps.engine.values.position import Account, Transaction, TransactionKind
from apps.orders.models import AccountTransaction, EquityPoint, Position
from apps.orders.result import settle_position
from apps.orders.values import EXACT, round_to_column

PARTS = ("available", "frozen", "position_margin", "unrealised")


def save_equity(account: str, worth: Account, at: datetime) -> None:
    """Store one point; the same moment twice is the later reading.

    The parts are rounded as their columns round them, then added: a sum of finer numbers would differ from
    the sum of what is stored.
    """
    parts = {name: round_to_column(EquityPoint, name, getattr(worth, name)) for name in PARTS}
    equity = Decimal(0)
    for part in parts.values():
        equity = EXACT.add(equity, part)
    EquityPoint.objects.update_or_create(account=account, at=at, defaults=parts | {"equity": equity})


def newest_transaction_at(account: str) -> datetime | None:
    """Return the time of the newest stored line; None when there is none."""
    times = AccountTransaction.objects.filter(account=account).order_by("-at")
    return times.values_list("at", flat=True).first()


def save_transactions(account: str, transactions: Iterable[Transaction]) -> list[Transaction]:
    """Store those not stored yet; return the ones that could not be, each logged, to be read again.

    All at once, or, when that fails, one by one. Funding that comes late is reckoned into its closed position
    in the same step: a line without its effect would never be looked at again.
    """
    new = list(transactions)
    with bookkeeping("new_transactions", lines=len(new)) as attempt:
        new = _new_transactions(account, new)
    if attempt.fault is not None:
        return new
    left, _ = write_rows("account_transaction", new, lambda some: _insert(account, some), shown=asdict)
    return left


def _new_transactions(account: str, transactions: Sequence[Transaction]) -> list[Transaction]:
    """Return those that are not stored, each once."""
    if not transactions:
        return []
    rows = AccountTransaction.objects.filter(account=account, at__gte=min(line.at for line in transactions))
    stored = set(rows.values_list("transaction_id", "kind", "symbol"))
    return list(
        {
            key: line
            for line in transactions
            if (key := (line.transaction_id, line.kind, line.symbol)) not in stored
        }.values()
    )


def _insert(account: str, lines: Sequence[Transaction]) -> None:
    """Store `lines`, and their funding in the closed positions it was paid for."""
    AccountTransaction.objects.bulk_create(
        [
            AccountTransaction(
                account=account,
                transaction_id=line.transaction_id,
                kind=line.kind,
                symbol=line.symbol,
                amount=line.amount,
                at=line.at,
            )
            for line in lines
        ],
        ignore_conflicts=True,
    )
    for line in lines:
        if line.kind is TransactionKind.FUNDING:
            positions = Position.objects.for_account(account).closed_since(line.at)
            for position in positions.filter(symbol=line.symbol, opened_at__lte=line.at):
                settle_position(position)
