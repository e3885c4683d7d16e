"""Reads in the engine's terms: the parsed answer, or one of the port's faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from apps.engine.ports import BrokerRateLimited, BrokerRejected, BrokerUnavailable
from apps.engine.values.errors import TradingError
from apps.exchange.bitmart.client import Client, Patience
from apps.exchange.bitmart.clock import ServerClock
from apps.exchange.bitmart.errors import BitMartError, RateLimited
from apps.exchange.bitmart.fields import Rows
from apps.exchange.bitmart.routes import Route

T = TypeVar("T")

PATIENCE = Patience(turn_s=5.0, connect_s=1.0, read_s=3.0, limited_s=(), unavailable_s=(0.2, 0.5))
"""Whoever guards a position asks again in 5 s: a read that takes longer is worth less than the next."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """What one answer shows; a `full` one may lack some."""

    values: list[T]
    full: bool


class Reader:
    """Safe to share between threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._clock = ServerClock(client)

    def read(self, route: Route, params: Mapping[str, str | int], parse: Callable[[Any], T]) -> T:
        """BrokerRejected when the exchange refuses, BrokerUnavailable when nothing usable came."""
        try:
            return parse(self._client.read(route, params).data)
        except TradingError as fault:
            raise _meaning(fault) from fault

    def read_all(
        self, route: Route, params: Mapping[str, str | int], parse: Callable[[Any], Rows[T]]
    ) -> list[T]:
        """As `read`; one unreadable row makes the list incomplete, and who is absent from it unknown."""
        rows = self.read(route, params, parse)
        if rows.faults:
            count = f"{len(rows.faults)} of {len(rows.faults) + len(rows.values)} rows"
            raise BrokerUnavailable(
                f"{route.path} {dict(params)}: {count} are unreadable; the first: {rows.faults[0]}"
            )
        return rows.values

    def read_page(
        self, route: Route, params: Mapping[str, str | int], parse: Callable[[Any], Rows[T]], *, full: int
    ) -> Page[T]:
        """As `read_all`, for a route that answers with at most `full` rows."""
        sent = 0

        def counted(data: Any) -> Rows[T]:
            nonlocal sent
            sent = len(data) if isinstance(data, list) else 0
            return parse(data)

        values = self.read_all(route, params, counted)
        return Page(values, full=sent >= full)

    def server_offset_ms(self) -> float:
        """The exchange's clock minus ours, measured now."""
        try:
            return self._clock.measure_ms()
        except TradingError as fault:
            raise _meaning(fault) from fault

    def server_time(self) -> datetime:
        """The exchange's clock, never ahead of it."""
        try:
            return self._clock.at_least()
        except TradingError as fault:
            raise _meaning(fault) from fault


def _meaning(fault: TradingError) -> TradingError:
    if isinstance(fault, RateLimited):
        return BrokerRateLimited(str(fault))
    if isinstance(fault, BitMartError) and fault.code is not None and not fault.retryable:
        return BrokerRejected(str(fault.code), str(fault))
    return BrokerUnavailable(str(fault))
