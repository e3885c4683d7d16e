"""One look of the watch at a calm account: our own time, without the exchange's."""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from apps.engine.ports.account import Broker, Listing
from apps.engine.values.book import TrackedOrder, TrackedPosition
from apps.engine.values.order import OrderReport, OrderStatus, ProtectionKind, ProtectionReport, Role
from apps.engine.values.order import client_order_id as name_of
from apps.engine.values.position import FeeRates, PositionReport, PositionStatus, Side
from apps.engine.values.venue import VenueConstraints
from apps.live.ledger import AccountLedger
from apps.live.watch.books import FollowRules, StoredBooks
from apps.live.watch.follower import AccountFollower
from apps.live.watch_state import AccountHealth
from apps.orders.models import ExchangeOrder, Position, Protection
from apps.orders.values import order_columns, position_columns

NEEDS_DJANGO = True

ACCOUNT = "bench:sweep"
CONSTRAINTS = VenueConstraints(
    signature_valid_s=70,
    answer_s=5,
    candles_per_request=499,
    fee_reads_apart_s=3.0,
    standard_fees=FeeRates(maker=Decimal(0), taker=Decimal(0)),
)
PRICE, STOP, SIZE = Decimal(100), Decimal(99), Decimal(10)


def run(args: list[str]) -> dict[str, Any]:
    """Measure looks at `--rows` symbols, half with a resting entry, half with a protected position."""
    parser = argparse.ArgumentParser(prog="bench sweep")
    parser.add_argument("--rows", type=int, default=500, help="orders and positions together")
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args(args)
    now = datetime.now(UTC)
    symbols = [f"BENCH{n:04}USDT" for n in range(options.rows)]
    resting, held = symbols[: options.rows // 2], symbols[options.rows // 2 :]
    orders = [_order(symbol, now) for symbol in resting]
    positions = [_position(symbol, now) for symbol in held]
    _store(orders, positions, now)
    broker = cast(Broker, CalmExchange(orders, positions))
    ledger = AccountLedger(ACCOUNT, lambda _: AccountHealth(reconciled=True))
    rules = FollowRules(CONSTRAINTS)
    books = StoredBooks(ledger, broker, rules, _now)
    follower = AccountFollower(broker, rules, _now)
    follower.follow(books)  # stores the stops, and reads the contracts
    taken_ms = []
    for _ in range(options.repeats):
        started = time.perf_counter()
        look = follower.follow(books)
        taken_ms.append((time.perf_counter() - started) * 1000)
        assert not look.soon, "nothing is to be done on a calm account"
    taken_ms.sort()
    return {
        "name": "sweep",
        "params": vars(options),
        "metrics": {
            "n": len(taken_ms),
            "median_ms": round(statistics.median(taken_ms), 1),
            "p99_ms": round(taken_ms[int(len(taken_ms) * 0.99)], 1),
        },
        "stages": {},
    }


class CalmExchange:
    """Shows exactly what is booked, and answers at once."""

    def __init__(self, orders: list[TrackedOrder], positions: list[TrackedPosition]) -> None:
        self._orders = [
            OrderReport(
                exchange_order_id=order.exchange_order_id,
                client_order_id=order.client_order_id,
                symbol=order.symbol,
                side=order.side,
                opens=True,
                price=order.price,
                size=order.size,
                filled=Decimal(0),
                average_price=Decimal(0),
                open=True,
                updated_at=order.sent_at,
            )
            for order in orders
        ]
        self._positions = [
            PositionReport(held.symbol, held.side, held.size, held.entry_price, held.opened_at, PRICE)
            for held in positions
        ]
        self._stops = [
            ProtectionReport(f"s{held.symbol}", "", held.symbol, held.side, ProtectionKind.STOP, STOP, None)
            for held in positions
        ]

    def contracts(self) -> list[Any]:
        return []

    def all_orders(self) -> Listing[OrderReport]:
        return Listing(self._orders)

    def all_positions(self) -> Listing[PositionReport]:
        return Listing(self._positions)

    def all_protections(self) -> Listing[ProtectionReport]:
        return Listing(self._stops)

    def fills(self, symbol: str, since: datetime) -> list[Any]:
        return []

    def cancel_after(self, symbol: str, timeout_s: int) -> None:
        """Nothing ever falls silent here."""


def _order(symbol: str, now: datetime) -> TrackedOrder:
    key = f"bench|{symbol}"
    return TrackedOrder(
        client_order_id=name_of(Role.ENTRY, key),
        decision_key=key,
        profile="bench",
        symbol=symbol,
        side=Side.LONG,
        timeframes=(),
        attempt=0,
        status=OrderStatus.SUBMITTED,
        price=PRICE,
        size=SIZE,
        stop=STOP,
        target=None,
        sent_at=now,
        send_before=now,
        expires_at=now + timedelta(days=1),
        exchange_order_id=f"x{symbol}",
    )


def _position(symbol: str, now: datetime) -> TrackedPosition:
    return TrackedPosition(
        symbol=symbol,
        side=Side.LONG,
        decision_key=f"bench|{symbol}",
        status=PositionStatus.PROTECTED,
        size=SIZE,
        entry_price=PRICE,
        stop=STOP,
        target=None,
        opened_at=now,
    )


def _store(orders: list[TrackedOrder], positions: list[TrackedPosition], now: datetime) -> None:
    """Book them, and the filled orders that opened the positions."""
    for model in (Protection, Position, ExchangeOrder):
        model.objects.filter(account=ACCOUNT).delete()
    filled = [
        replace(_order(held.symbol, now), status=OrderStatus.FILLED, filled=SIZE, average_price=PRICE)
        for held in positions
    ]
    rows = [order_columns(order) for order in (*orders, *filled)]
    ExchangeOrder.objects.bulk_create(ExchangeOrder(account=ACCOUNT, updated_at=now, **row) for row in rows)
    columns = {"account": ACCOUNT, "max_size": SIZE, "updated_at": now}
    Position.objects.bulk_create(Position(**columns, **position_columns(held)) for held in positions)


def _now() -> datetime:
    return datetime.now(UTC)
