"""One account as the engine needs it: its broker, its books, the news of it.

Each adapter passes the contract suite of its port.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Generic, Protocol, TypeVar

from apps.engine.events import Event
from apps.engine.values.account import AccountState
from apps.engine.values.book import RestPlan
from apps.engine.values.contract import Contract
from apps.engine.values.errors import TradingError
from apps.engine.values.order import (
    Fill,
    OrderReport,
    OrderRequest,
    OrderStatus,
    ProtectionKind,
    ProtectionReport,
)
from apps.engine.values.plan import OrderPlan
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
from apps.engine.values.reason import Refusal

T = TypeVar("T", covariant=True)


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """One list of the whole account, as one read showed it.

    `unreadable`: symbol → why a row of it could not be read: what that symbol has is not known. Where `whole`
    is False rows are missing (a page came back full, or a row did not even say its symbol): what is there is
    there, and nothing follows from what is absent.
    """

    rows: Sequence[T]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    whole: bool = True


class BrokerRejected(TradingError):
    """The exchange answered, and the answer is no: nothing was placed or changed.

    `code` is the exchange's own, for people. `try_again` is True only for a limit that must be waited out and
    for a maker-only price that crossed: a new attempt may follow; every other rejection is final.
    """

    def __init__(self, code: str, message: str, *, try_again: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.try_again = try_again


class BrokerUnknown(TradingError):
    """No answer, or one that cannot be understood, after bytes left: it may have happened."""


class BrokerUnavailable(TradingError):
    """It did not happen: nothing left this machine (no connection), or a read got no complete answer."""

    retryable = True


class BrokerRateLimited(BrokerUnavailable):
    """The limiter has no slot soon enough: nothing was sent."""


class Broker(Protocol):
    """One account at one venue. Prices and sizes are Decimal, times aware UTC.

    Every call raises BrokerRejected, BrokerUnknown or BrokerUnavailable and nothing else of its own. Reads
    are retried by the adapter. Those of one symbol are complete, or raise; those of the whole account say in
    their Listing what they lack. Nothing that changes something is retried.
    """

    def server_offset_ms(self) -> float:
        """Return the exchange's clock minus ours, milliseconds, measured now."""

    def contracts(self) -> list[Contract]: ...

    def brackets(self, symbol: str) -> list[Bracket]:
        """Return the leverage brackets, rising by cap."""

    def fee_rates(self, symbol: str) -> FeeRates: ...

    def quote(self, symbol: str) -> Quote: ...

    def account(self) -> Account: ...

    def position_mode(self) -> PositionMode: ...

    def set_position_mode(self, mode: PositionMode) -> None: ...

    def set_leverage(self, symbol: str, leverage: int) -> None:
        """Set isolated margin at `leverage`."""

    def submit(self, request: OrderRequest, before_sending: Callable[[], None] | None = None) -> str:
        """Place it, and return the exchange's order id. Accepted is not resting: that is read back later.

        An opening order whose slot is more than 500 ms away raises BrokerRateLimited. `before_sending` is
        called when slot and connection are ready, right before the bytes leave: what it raises stops the
        order, unsent, and passes through.
        """

    def cancel(self, symbol: str, client_order_id: str) -> None:
        """Ask for the cancel; an order that is over already is not an error."""

    def all_orders(self) -> Listing[OrderReport]:
        """Return the account's open orders."""

    def orders(self, symbol: str) -> list[OrderReport]:
        """Return the open orders."""

    def order(self, symbol: str, client_order_id: str) -> OrderReport | None:
        """Return one order, open or over (open orders, history, trades); None if complete reads show none."""

    def fills(self, symbol: str, since: datetime) -> list[Fill]:
        """Return our trades since then, rising by time; complete, or BrokerUnavailable."""

    def all_positions(self) -> Listing[PositionReport]:
        """Return what the account holds; flat is absent."""

    def positions(self, symbol: str) -> list[PositionReport]:
        """Return what is held; flat is absent."""

    def all_protections(self) -> Listing[ProtectionReport]:
        """Return the account's resting stops and targets, attached ones of filled orders included."""

    def protections(self, symbol: str) -> list[ProtectionReport]:
        """Return the resting stops and targets, attached ones of filled orders included."""

    def protect(
        self,
        symbol: str,
        side: Side,
        kind: ProtectionKind,
        trigger_price: Decimal,
        client_order_id: str,
        size: Decimal | None = None,
    ) -> str:
        """Place a stop or target, market on the last price; return its id there.

        `size` in contracts; None is the whole position, whatever that is when it fires.
        """

    def unprotect(self, symbol: str, exchange_order_id: str) -> None:
        """Cancel a protective order; one that is over already is not an error."""

    def cancel_after(self, symbol: str, timeout_s: int) -> None:
        """Arm the dead man's switch of a symbol's limit orders; 0 disarms.

        BrokerRateLimited at once where there is no slot: nobody waits for it.
        """

    def transactions(self, since: datetime) -> list[Transaction]:
        """Return the account's money movements since then, rising by time; unreadable ones are logged."""


class VenueBroker(Broker, Protocol):
    """The broker of a venue, which can also show what it would send."""

    def prepare(self, request: OrderRequest) -> Mapping[str, object]:
        """The body of the order's request; ValueError when it cannot be built."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The plan is committed, with its lock and reservation. Send it, unless it is PENDING_REVIEW.

    `leverage`: the symbol's last confirmed one, read under the same lock.
    """

    decision_key: str
    status: OrderStatus
    leverage: int | None = None


class Ledger(Protocol):
    """The books of one account: what is remembered between steps. Calls commit before they return."""

    def state(self, symbols: Sequence[str], now: datetime) -> AccountState:
        """Return what is open, reserved, cooling down and switched off, with the state of these symbols.

        A fault while reading blocks entries: it raises, or says `off` None when only the switches cannot be
        read.
        """

    def claim(self, plan: OrderPlan, now: datetime) -> Claimed | Refusal:
        """Store the plan with its symbol lock and reservation, or say why it may not be.

        Under the account's lock, in one transaction: `enter.guards.claim_refusal` is asked again, then the
        plan is stored as PENDING_REVIEW, or as SUBMITTING with `TrackedOrder.all_of(plan)`.

        A plan whose decision a person approved takes that row (checked without its own claim). Of two claims
        at once, one is refused.
        """

    def record(self, events: Sequence[Event]) -> None:
        """Store what happened, in order, in one transaction; the same fill twice is stored once."""


class RestLedger(Ledger, Protocol):
    """Books that also let the rest of a decision be sent anew."""

    def claim_rest(self, rest: RestPlan, now: datetime) -> Claimed | Refusal:
        """Store the rest's order as SUBMITTING under its decision's lock, or say why it may not be.

        Under the account's lock and the symbol's, in one transaction: `enter.guards.rest_refusal` is asked of
        what waits in the books now, the reservation is raised to `rest.total` where that is more, then
        `TrackedOrder.of(rest.plan, …)` is stored as the next attempt. Of two claims at once, one is refused
        as DUPLICATE_DECISION.
        """


@dataclass(frozen=True, slots=True)
class AccountNews:
    """Something of the account changed: read it. A push only triggers the read; it is never believed alone.

    `symbol` None concerns the whole account; `reconnected` True means pushes may have been missed.
    """

    symbol: str | None
    received_at: datetime
    reconnected: bool = False


class AccountStreams(Protocol):
    """A venue's private pushes."""

    def account(self, poll_s: float = 0.1) -> Iterator[AccountNews | None]:
        """Yield news without end, None when none came within `poll_s`; reconnects by itself and says so."""

    def heard_at(self) -> datetime | None:
        """Return when the last message came on open channels, news or not; None before the first."""

    def close(self) -> None:
        """End `account` promptly, from any thread."""
