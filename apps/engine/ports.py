"""What the engine needs from outside. Each adapter passes the contract suite of its port."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from apps.engine.events import Event
from apps.engine.values.account import AccountState
from apps.engine.values.candle import Candle
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
from apps.engine.values.timeframe import Timeframe
from apps.engine.values.venue import VenueConstraints


@dataclass(frozen=True, slots=True)
class CandlePage:
    """What one request for candles returned: closed ones, rising, and how many rows were no possible candle.

    Where `refused` is not 0 an absent candle may be one of them: the page confirms no hole.
    """

    candles: list[Candle]
    refused: int = 0


class CandleHistory(Protocol):
    """A venue's past candles and contracts, by request. Safe to share between threads.

    Each call waits its turn at the shared rate limit and retries what can heal; then it raises a TradingError
    whose `retryable` says whether the same call may succeed later.
    """

    def server_offset_ms(self) -> float:
        """Return the server's clock minus ours, milliseconds, measured now."""

    def contracts(self) -> list[Contract]:
        """Return every contract the venue lists, also ended ones; unreadable ones are only logged."""

    def candles(self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime) -> CandlePage:
        """Return closed candles with start <= open_time < end; at most the venue's
        `candles_per_request`. Source REST.

        `start` and `end` are aware UTC. Impossible rows are dropped, counted by law and logged.
        ValueError when the range is empty or longer than a page.
        """


@dataclass(frozen=True, slots=True)
class FormingCandle:
    """A push about a candle that may still change: kept for display until it is known to be closed.

    Prices in quote currency, volume in base coins, `open_time` aware UTC on its boundary; it obeys the
    laws of Candle. `received_at` is our clock at the push: how long a stream is silent is judged from it.
    """

    symbol: str
    timeframe: Timeframe
    open_time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """The stream was interrupted for these symbols: what closed in between must be fetched.

    It comes when the pushes flow again, or at once (and once) for symbols the venue will not stream at all.
    """

    symbols: tuple[str, ...]
    reason: str


class Streams(Protocol):
    """A venue's pushes, already parsed. One object streams once: after `close` make another."""

    def candles(self, symbols: Sequence[str], poll_s: float = 0.1) -> Iterator[FormingCandle | Gap | None]:
        """Yield pushes of 1m candles of `symbols`, until `close`; reconnects by itself and yields a Gap then.

        Yields None when nothing arrived within `poll_s`, so that the consumer can act on time.
        """

    def close(self) -> None:
        """End `candles` promptly, from any thread; harmless when repeated."""


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
    are retried by the adapter and are complete, or raise: what is absent from a list is absent at the venue.
    A list of all symbols that is too long for one page raises BrokerUnavailable: ask per symbol. Nothing
    that changes something is retried.
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

    def orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return the open orders."""

    def order(self, symbol: str, client_order_id: str) -> OrderReport | None:
        """Return one order, open or over (open orders, history, trades); None if complete reads show none."""

    def fills(self, symbol: str, since: datetime) -> list[Fill]:
        """Return our trades since then, rising by time; complete, or BrokerUnavailable."""

    def positions(self, symbol: str | None = None) -> list[PositionReport]:
        """Return what is held; flat is absent."""

    def protections(self, symbol: str | None = None) -> list[ProtectionReport]:
        """Return the resting stops and targets, attached ones of filled orders included."""

    def protect(
        self, symbol: str, side: Side, kind: ProtectionKind, trigger_price: Decimal, client_order_id: str
    ) -> str:
        """Place a stop or target for the whole position, market on the last price; return its id there."""

    def unprotect(self, symbol: str, exchange_order_id: str) -> None:
        """Cancel a protective order; one that is over already is not an error."""

    def cancel_after(self, symbol: str, timeout_s: int) -> None:
        """Arm the dead man's switch of a symbol's limit orders; 0 disarms."""

    def transactions(self, since: datetime) -> list[Transaction]:
        """Return the account's money movements since then, rising by time."""


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
        plan is stored as PENDING_REVIEW, or as SUBMITTING with `TrackedOrder.of(plan)`.

        A plan whose decision a person approved takes that row (checked without its own claim). Of two claims
        at once, one is refused.
        """

    def record(self, events: Sequence[Event]) -> None:
        """Store what happened, in order, in one transaction; the same fill twice is stored once."""


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


class VenueBroker(Broker, Protocol):
    """The broker of a venue, which can also show what it would send."""

    def prepare(self, request: OrderRequest) -> Mapping[str, object]:
        """The body of the order's request; ValueError when it cannot be built."""


@dataclass(frozen=True, slots=True)
class Venue:
    """One exchange and one account of it, as its adapter's `build(settings)` makes them.

    `prompt_history` is the history for who decides now: it goes before the bulk reads, and gives up what
    takes seconds. `streams` and `account_streams` make a new stream at each call; everything else is safe to
    share between threads.
    """

    constraints: VenueConstraints
    broker: VenueBroker
    history: CandleHistory
    prompt_history: CandleHistory
    streams: Callable[[], Streams]
    account_streams: Callable[[], AccountStreams]
