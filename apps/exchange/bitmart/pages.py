"""Complete reads of routes that have no paging: a page that comes back full is narrowed until none is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from apps.engine.ports import BrokerUnavailable
from apps.exchange.bitmart.reader import Page

T = TypeVar("T")

ROWS = 200
"""Most rows of order-history and trades; a page with as many may lack some."""
LEDGER_ROWS = 1000
LONGEST_SPAN = timedelta(days=90)
SHORTEST_SPAN = timedelta(seconds=2)


def in_span(read: Callable[[datetime, datetime], Page[T]], start: datetime, end: datetime) -> list[T]:
    """Everything between `start` and `end`, each value once.

    Whether the ends of a span count may differ by route: halves share their border.
    BrokerUnavailable when even the shortest span is full.
    """
    if end - start > LONGEST_SPAN:
        return _halves(read, start, end)
    page = read(start, end)
    if not page.full:
        return page.values
    if end - start <= SHORTEST_SPAN:
        raise BrokerUnavailable(
            f"{len(page.values)} rows from {start} to {end}: the exchange shows no more of them"
        )
    return _halves(read, start, end)


def _halves(read: Callable[[datetime, datetime], Page[T]], start: datetime, end: datetime) -> list[T]:
    middle = start + timedelta(seconds=(end - start).total_seconds() // 2)
    return list(dict.fromkeys([*in_span(read, start, middle), *in_span(read, middle, end)]))
