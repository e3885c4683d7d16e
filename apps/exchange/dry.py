"""A broker that sends nothing: everything up to the request body, on real market data, without keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from threading import Event

import structlog

from apps.engine.ports.account import AccountNews, Listing, VenueBroker
from apps.engine.values.contract import Contract
from apps.engine.values.order import Fill, OrderReport, OrderRequest, ProtectionKind, ProtectionReport
from apps.engine.values.position import (
    Account,
    Bracket,
    FeeRates,
    PositionMode,
    PositionReport,
    Quote,
    Side,
    Transaction,
)

log = structlog.get_logger("provider")


class DryBroker:
    """See the port. The account is `equity` in cash and never holds anything; order ids begin with "dry"."""

    def __init__(self, broker: VenueBroker, equity: Decimal, mode: PositionMode, fees: FeeRates) -> None:
        self._broker = broker
        self._equity = equity
        self._mode = mode
        self._fees = fees

    def server_offset_ms(self) -> float:
        return self._broker.server_offset_ms()

    def contracts(self) -> list[Contract]:
        return self._broker.contracts()

    def brackets(self, symbol: str) -> list[Bracket]:
        return self._broker.brackets(symbol)

    def quote(self, symbol: str) -> Quote:
        return self._broker.quote(symbol)

    def fee_rates(self, symbol: str) -> FeeRates:
        return self._fees

    def account(self) -> Account:
        return Account(
            available=self._equity, frozen=Decimal(0), position_margin=Decimal(0), unrealised=Decimal(0)
        )

    def position_mode(self) -> PositionMode:
        return self._mode

    def set_position_mode(self, mode: PositionMode) -> None:
        self._mode = mode

    def set_leverage(self, symbol: str, leverage: int) -> None:
        """Nothing is sent."""

    def prepare(self, request: OrderRequest) -> Mapping[str, object]:
        return self._broker.prepare(request)

    def submit(self, request: OrderRequest, before_sending: Callable[[], None] | None = None) -> str:
        body = self.prepare(request)
        if before_sending is not None:
            before_sending()
        log.info("order_simulated", **body)
        return f"dry{request.client_order_id}"

    def cancel(self, symbol: str, client_order_id: str) -> None:
        """Nothing rests."""

    def all_orders(self) -> Listing[OrderReport]:
        return Listing([])

    def orders(self, symbol: str) -> list[OrderReport]:
        return []

    def order(self, symbol: str, client_order_id: str) -> OrderReport | None:
        return None

    def fills(self, symbol: str, since: datetime) -> list[Fill]:
        return []

    def all_positions(self) -> Listing[PositionReport]:
        return Listing([])

    def positions(self, symbol: str) -> list[PositionReport]:
        return []

    def all_protections(self) -> Listing[ProtectionReport]:
        return Listing([])

    def protections(self, symbol: str) -> list[ProtectionReport]:
        return []

    def protect(
        self,
        symbol: str,
        side: Side,
        kind: ProtectionKind,
        trigger_price: Decimal,
        client_order_id: str,
        size: Decimal | None = None,
    ) -> str:
        return f"dry{client_order_id}"

    def unprotect(self, symbol: str, exchange_order_id: str) -> None:
        """Nothing rests."""

    def cancel_after(self, symbol: str, timeout_s: int) -> None:
        """Nothing rests."""

    def transactions(self, since: datetime) -> list[Transaction]:
        return []


class NoNews:
    """The private pushes of an account that does not exist: none."""

    def __init__(self) -> None:
        self._closed = Event()

    def account(self, poll_s: float = 0.1) -> Iterator[AccountNews | None]:
        while not self._closed.wait(poll_s):
            yield None

    def heard_at(self) -> datetime:
        return datetime.now(UTC)

    def close(self) -> None:
        self._closed.set()
