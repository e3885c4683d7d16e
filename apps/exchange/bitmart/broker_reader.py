"""Reads in the engine's terms: the parsed and complete answer, or one of the port's faults.

Routes without paging: a page that comes back full is narrowed until none is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

import structlog

from apps.engine.ports.account import BrokerRateLimited, BrokerRejected, BrokerUnavailable, Listing
from apps.engine.values.errors import TradingError
from apps.exchange.bitmart.errors import BitMartError
from apps.exchange.bitmart.json_field import Rows
from apps.exchange.bitmart.read_client import ReadClient
from apps.exchange.transport.clock import ServerClock
from apps.exchange.transport.rate import Route
from apps.exchange.transport.rate_limiter import RateLimited
from apps.exchange.transport.retry import Patience

log = structlog.get_logger("provider")

T = TypeVar("T")

PATIENCE = Patience(turn_s=5.0, connect_s=1.0, read_s=3.0, limited_s=(), unavailable_s=(0.2, 0.5))
"""Whoever guards a position asks again in 5 s: a read that takes longer is worth less than the next."""
LONGEST_SPAN = timedelta(days=90)
SHORTEST_SPAN = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """What one answer shows; a `full` one may lack some."""

    values: list[T]
    full: bool


class BrokerReader:
    """Safe to share between threads."""

    def __init__(self, client: ReadClient) -> None:
        self._client = client
        self._clock = ServerClock(client.read_clock)

    def read(self, route: Route, params: Mapping[str, str | int], parse: Callable[[Any], T]) -> T:
        """Return the parsed answer. BrokerRejected when the exchange refuses, BrokerUnavailable when nothing
        usable came."""
        return self.read_dated(route, params, parse)[0]

    def read_dated(
        self, route: Route, params: Mapping[str, str | int], parse: Callable[[Any], T]
    ) -> tuple[T, datetime]:
        """As `read`, and when the request left by our clock: what is told is no older, however long it waited
        for its turn."""
        try:
            answer = self._client.read(route, params)
            return parse(answer.data), datetime.fromtimestamp(answer.sent_at_ms / 1000, UTC)
        except TradingError as fault:
            raise _broker_fault(fault) from fault

    def read_all(
        self, route: Route, params: Mapping[str, str | int], parse: Callable[[Any], Rows[T]]
    ) -> list[T]:
        """As `read`; one unreadable row makes the list incomplete, and who is absent from it unknown."""
        return self._whole(route, params, self.read(route, params, parse))

    def read_page(
        self, route: Route, params: Mapping[str, str | int], parse: Callable[[Any], Rows[T]], *, full: int
    ) -> Page[T]:
        """As `read_all`, for a route that answers with at most `full` rows."""
        rows, sent = self._read_rows(route, params, parse)
        return Page(self._whole(route, params, rows), full=sent >= full)

    def read_readable(
        self, route: Route, params: Mapping[str, str | int], parse: Callable[[Any], Rows[T]], *, full: int
    ) -> Page[T]:
        """As `read_page`, without the rows that cannot be read: those are logged."""
        rows, sent = self._read_rows(route, params, parse)
        for fault in rows.faults:
            log.error("row_unreadable", endpoint=route.path, error=str(fault))
        return Page(rows.values, full=sent >= full)

    def read_listing(
        self, route: Route, params: Mapping[str, str | int], parse: Callable[[Any], Rows[T]], *, full: int
    ) -> Listing[T]:
        """As `read`, for a list of the whole account: what is unreadable of it concerns its symbol.

        A page of `full` rows lacks some.
        """
        rows, sent = self._read_rows(route, params, parse)
        unreadable = {symbol: str(why) for symbol, why in zip(rows.symbols, rows.faults, strict=True)}
        for symbol, why in unreadable.items():
            log.warning("row_unreadable", endpoint=route.path, symbol=symbol, error=why)
        whole = "" not in unreadable and sent < full
        return Listing(rows.values, unreadable, whole=whole)

    def _read_rows(
        self, route: Route, params: Mapping[str, str | int], parse: Callable[[Any], Rows[T]]
    ) -> tuple[Rows[T], int]:
        """Return the rows, and how many the exchange sent, of whatever kind."""
        data = self.read(route, params, lambda sent: sent)
        try:
            return parse(data), len(data) if isinstance(data, list) else 0
        except TradingError as fault:
            raise _broker_fault(fault) from fault

    def _whole(self, route: Route, params: Mapping[str, str | int], rows: Rows[T]) -> list[T]:
        if rows.faults:
            count = f"{len(rows.faults)} of {len(rows.faults) + len(rows.values)} rows"
            raise BrokerUnavailable(
                f"{route.path} {dict(params)}: {count} are unreadable; the first: {rows.faults[0]}"
            )
        return rows.values

    def server_offset_ms(self) -> float:
        """Return the exchange's clock minus ours, measured now."""
        try:
            return self._clock.measure_ms()
        except TradingError as fault:
            raise _broker_fault(fault) from fault

    def server_time(self) -> datetime:
        """Return the exchange's clock, never ahead of it."""
        try:
            return self._clock.at_least()
        except TradingError as fault:
            raise _broker_fault(fault) from fault


def read_span(read: Callable[[datetime, datetime], Page[T]], start: datetime, end: datetime) -> list[T]:
    """Return everything between `start` and `end`, each value once.

    Whether the ends of a span count may differ by route: halves share their border.
    BrokerUnavailable when even the shortest span is full.
    """
    if end - start <= LONGEST_SPAN:
        page = read(start, end)
        if not page.full:
            return page.values
        if end - start <= SHORTEST_SPAN:
            raise BrokerUnavailable(
                f"{len(page.values)} rows from {start} to {end}: the exchange shows no more of them"
            )
    middle = start + timedelta(seconds=(end - start).total_seconds() // 2)
    return list(dict.fromkeys([*read_span(read, start, middle), *read_span(read, middle, end)]))


def _broker_fault(fault: TradingError) -> TradingError:
    if isinstance(fault, RateLimited):
        return BrokerRateLimited(str(fault))
    if isinstance(fault, BitMartError) and fault.code is not None and not fault.retryable:
        return BrokerRejected(str(fault.code), str(fault))
    return BrokerUnavailable(str(fault))
