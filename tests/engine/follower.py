"""A watch in small: reads the tiny exchange, follows, records, does what must be done; second by second."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from apps.engine import events
from apps.engine.cycle import follow, observe, perform
from apps.engine.follow.book import book_after
from apps.engine.ports.account import Broker
from apps.engine.values.book import ExchangeBook, SymbolBook, TrackedOrder
from apps.engine.values.order import OrderStatus
from apps.engine.values.plan import OrderPlan
from tests.engine.tiny_exchange import TinyExchange
from tests.engine.trade_builder import CONSTRAINTS, NOW, SYMBOL, D, at, contract

MARKET_MAX = D(5)
TRADED = contract(market_max_volume=MARKET_MAX)


class Follower:
    """One claimed plan on one exchange. `told` is every event, `alarms` what each CloseFailing says."""

    def __init__(self, plan: OrderPlan, exchange: TinyExchange) -> None:
        self.plan, self.exchange = plan, exchange
        self.off: dict[str, str] = {}
        self.told: list[events.Event] = []
        claimed = events.PlanClaimed(symbol=SYMBOL, at=NOW, plan=plan, status=OrderStatus.SUBMITTING)
        self.book = book_after(SymbolBook(SYMBOL), [claimed])

    @property
    def now(self) -> datetime:
        return self.exchange.now

    @property
    def order(self) -> TrackedOrder:
        return next(order for order in self.book.orders if order.decision_key == self.plan.decision_key)

    @property
    def alarms(self) -> list[str]:
        return [event.detail for event in self.told if isinstance(event, events.CloseFailing)]

    def heard(self, status: OrderStatus) -> None:
        """What the sender recorded."""
        order = replace(self.order, status=status)
        self.record([events.OrderUnknown(symbol=SYMBOL, at=self.now, order=order)])

    def step(self) -> None:
        """One pass, now."""
        seen = look(self.exchange, self.book)
        followed = follow(self.book, seen, TRADED, constraints=CONSTRAINTS, off=self.off, now=self.now)
        self.told += followed.events
        self.book = followed.book
        for action in followed.actions:
            self.told += perform(action, broker=cast(Broker, self.exchange), now=self.now)

    def run(self, seconds: int, every_s: int = 1) -> None:
        for _ in range(0, seconds, every_s):
            self.exchange.now += timedelta(seconds=every_s)
            self.step()

    def until(self, seconds: float) -> None:
        """Pass by pass up to so many seconds after the plan."""
        self.run(round((at(seconds) - self.now).total_seconds()))

    def names(self) -> list[str]:
        return [event.name for event in self.told]

    def record(self, happened: list[events.Event]) -> None:
        self.told += happened
        self.book = book_after(self.book, happened)


def look(exchange: TinyExchange, book: SymbolBook) -> ExchangeBook:
    """Everything the exchange shows of the symbol now."""
    seen, faults = observe(
        cast(Broker, exchange),
        book,
        ExchangeBook(SYMBOL),
        constraints=CONSTRAINTS,
        clock=lambda: exchange.now,
        trades=True,
    )
    assert not faults
    return seen
