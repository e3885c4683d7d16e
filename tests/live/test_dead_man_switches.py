"""Where the exchange's limit leaves no room for every dead man's switch, those that would hurt come first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from apps.engine.ports.account import BrokerRateLimited
from apps.engine.values.book import ExchangeBook, SymbolBook, TrackedOrder
from apps.engine.values.order import OrderReport, OrderStatus
from apps.engine.values.position import Side
from apps.live.watch.dead_man import DeadManSwitches
from tests.engine.trade_builder import NOW, D, planned

RESTING = replace(TrackedOrder.of(planned()), status=OrderStatus.SUBMITTED)
OVER = replace(RESTING, status=OrderStatus.CANCELLED)


@dataclass
class Exchange:
    """Takes `room` calls, and then no more; which ones is noted."""

    room: int
    taken: list[tuple[str, int]] = field(default_factory=list)

    def cancel_after(self, symbol: str, timeout_s: int) -> None:
        if len(self.taken) == self.room:
            raise BrokerRateLimited("no slot")
        self.taken.append((symbol, timeout_s))


@dataclass
class Books:
    entered: Collection[str]

    def symbols_entered_since(self, moment: datetime) -> Collection[str]:
        assert moment == NOW - timedelta(seconds=60)
        return self.entered


def look(symbol: str, order: TrackedOrder, *, others: bool = False) -> tuple[SymbolBook, ExchangeBook]:
    report = OrderReport("1", "hand", symbol, Side.SHORT, True, D(60_000), D(1), D(0), D(0), True, NOW)
    return SymbolBook(symbol, orders=(order,)), ExchangeBook(
        symbol, orders_at=NOW, orders=(report,) if others else ()
    )


def test_one_that_would_take_back_what_is_not_ours_is_disarmed_before_any_other_is_armed_or_renewed() -> None:
    exchange = Exchange(room=2)
    looks = {
        "AUSDT": look("AUSDT", RESTING),
        "BUSDT": look("BUSDT", OVER),
        "NEWUSDT": look("NEWUSDT", RESTING),
        "ZUSDT": look("ZUSDT", OVER, others=True),
    }
    switches = DeadManSwitches(cast(Any, exchange), lambda: NOW)
    books = cast(Any, Books(["AUSDT", "BUSDT", "ZUSDT"]))
    assert set(switches.armed_symbols(books)) == {"AUSDT", "BUSDT", "ZUSDT"}
    booked = {symbol: book for symbol, (book, _) in looks.items()}
    listed = {symbol: seen for symbol, (_, seen) in looks.items()}
    assert switches.renew(books, booked, listed) is False
    assert exchange.taken == [("ZUSDT", 0), ("NEWUSDT", 60)]
    exchange.room = 4
    assert switches.renew(books, booked, listed) is True
    assert sorted(exchange.taken[2:]) == [("AUSDT", 60), ("BUSDT", 0)]
    assert set(switches.armed_symbols(books)) == {"AUSDT", "NEWUSDT"}
