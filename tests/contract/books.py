"""Two implementations of the RestLedger port, each with the hands that its world needs in a test."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from apps.backtest.ledger import MemoryLedger
from apps.engine.ports.account import RestLedger
from apps.engine.values.book import SymbolBook
from apps.engine.values.position import Account, Transaction, TransactionKind
from apps.live.ledger import AccountLedger
from apps.live.watch_state import AccountHealth
from apps.orders import store as orders
from apps.orders.models import OrderPlan
from apps.switches import store as switches
from tests.rooms.trades import ACCOUNT, NOW

RUN = UUID("11111111-2222-3333-4444-555555555555")


class Books(Protocol):
    def ledger(self, **changes: Any) -> RestLedger: ...

    def book(self, symbol: str, now: datetime) -> SymbolBook: ...

    def switch_off(self, key: str) -> None: ...

    def approve(self, decision_key: str) -> None: ...

    def note_equity(self, equity: Decimal, at: datetime) -> None: ...

    def note_transfer(self, amount: Decimal, at: datetime) -> None: ...


class MemoryBooks:
    def __init__(self) -> None:
        self.memory = MemoryLedger()

    def ledger(self, **changes: Any) -> RestLedger:
        for name, value in changes.items():
            setattr(self.memory, name, value)
        return self.memory

    def book(self, symbol: str, now: datetime) -> SymbolBook:
        return self.memory.book(symbol, now)

    def switch_off(self, key: str) -> None:
        self.memory.off[key] = "test"

    def approve(self, decision_key: str) -> None:
        self.memory.approve(decision_key)

    def note_equity(self, equity: Decimal, at: datetime) -> None:
        self.memory.risk.add_equity(equity, at)

    def note_transfer(self, amount: Decimal, at: datetime) -> None:
        self.memory.save_transactions([transfer(amount, at)])


class RoomBooks:
    def ledger(self, *, reconciled: bool = True, **changes: Any) -> RestLedger:
        return AccountLedger(ACCOUNT, lambda now: AccountHealth(reconciled), run_id=RUN, **changes)

    def book(self, symbol: str, now: datetime) -> SymbolBook:
        return orders.book(ACCOUNT, symbol, now)

    def switch_off(self, key: str) -> None:
        switches.set_switch(key, is_on=False, reason="test", actor="ada")

    def approve(self, decision_key: str) -> None:
        orders.approve(OrderPlan.objects.get(decision_key=decision_key).pk, actor="ada", now=NOW)

    def note_equity(self, equity: Decimal, at: datetime) -> None:
        orders.save_equity(ACCOUNT, Account(equity, Decimal(0), Decimal(0), Decimal(0)), at)

    def note_transfer(self, amount: Decimal, at: datetime) -> None:
        orders.save_transactions(ACCOUNT, [transfer(amount, at)])


def transfer(amount: Decimal, at: datetime) -> Transaction:
    return Transaction(at.isoformat(), TransactionKind.TRANSFER, amount, "", at)


BOOKS: dict[str, Callable[[], Books]] = {"memory": MemoryBooks, "rooms": RoomBooks}
