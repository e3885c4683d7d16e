"""Two books of one symbol: ours as stored, and the exchange's as just read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from apps.engine.values.entry import NO_ENTRY_RULES, EntryRules
from apps.engine.values.exit import NO_EXIT_RULES, ExitRules
from apps.engine.values.order import Fill, OrderReport, OrderStatus, ProtectionReport, Role, client_order_id
from apps.engine.values.plan import OrderPlan, Sizing
from apps.engine.values.position import PositionReport, PositionStatus, Quote, Side
from apps.engine.values.timeframe import Timeframe


@dataclass(frozen=True, slots=True)
class TrackedOrder:
    """An opening order of ours, from its claim on. Sizes in contracts.

    It was signed at `sent_at` at the earliest and `send_before` at the latest. `looked_up` counts finished
    look-ups by client id, `absent_reads` the complete reads without it once it can no longer arrive.
    An adopted order has an empty decision key and profile. A switch of any of `timeframes` covers it.
    `fallback_before`: it was taken back for its rest to be sent as a new attempt, which may leave until then;
    `sent_at` once that was given up, None where it never was to be.
    `tranche` counts from 0, nearest first, of `tranches` that its decision has.
    """

    client_order_id: str
    decision_key: str
    profile: str
    symbol: str
    side: Side
    timeframes: tuple[Timeframe, ...]
    attempt: int
    status: OrderStatus
    price: Decimal
    size: Decimal
    stop: Decimal | None
    target: Decimal | None
    sent_at: datetime
    send_before: datetime
    expires_at: datetime
    exchange_order_id: str = ""
    filled: Decimal = Decimal(0)
    average_price: Decimal = Decimal(0)
    cancel_asked_at: datetime | None = None
    looked_up: int = 0
    absent_reads: int = 0
    exits: ExitRules = NO_EXIT_RULES
    entry_rules: EntryRules = NO_ENTRY_RULES
    fallback_before: datetime | None = None
    tranche: int = 0
    tranches: int = 1

    @property
    def part(self) -> str:
        """Return which of several tranches it is, `2/3`; "" where there is one."""
        return part_of(self.tranche, self.tranches)

    @classmethod
    def of(cls, plan: OrderPlan, attempt: int = 0, *, tranche: int = 0) -> TrackedOrder:
        """Return the order of one attempt of a tranche of `plan`, about to be sent."""
        part = plan.tranches[tranche]
        return cls(
            client_order_id=client_order_id(Role.ENTRY, plan.decision_key, tranche=tranche, attempt=attempt),
            decision_key=plan.decision_key,
            profile=plan.profile,
            symbol=plan.symbol,
            side=plan.side,
            timeframes=plan.timeframes,
            attempt=attempt,
            status=OrderStatus.SUBMITTING,
            price=part.price,
            size=part.size,
            stop=plan.stop,
            target=plan.target,
            sent_at=plan.created_at,
            send_before=plan.send_before,
            expires_at=plan.expires_at,
            exits=plan.exits,
            entry_rules=plan.entry_rules,
            tranche=tranche,
            tranches=len(plan.tranches),
        )

    @classmethod
    def all_of(cls, plan: OrderPlan, attempt: int = 0) -> tuple[TrackedOrder, ...]:
        """Return one attempt of each tranche: the first is what a claim stands for."""
        return tuple(cls.of(plan, attempt, tranche=tranche) for tranche in range(len(plan.tranches)))


def part_of(tranche: int, tranches: int) -> str:
    """Return `2/3` for the second of three, "" for the only one."""
    return f"{tranche + 1}/{tranches}" if tranches > 1 else ""


@dataclass(frozen=True, slots=True)
class RestPlan:
    """What `order`, which is over, left unfilled, as a new attempt of its decision.

    `plan` is that attempt's order at its worst price; `total` the whole decision with it: what was filled
    already and all of the rest, at most the decision's risk budget.
    """

    order: TrackedOrder
    plan: OrderPlan
    total: Sizing


@dataclass(frozen=True, slots=True)
class TrackedPosition:
    """A position in our books; one alive for each symbol and side.

    `stop` and `target` are what it must be protected with (None: any stop on its side will do).
    `naked_since`: since when no stop was read back, None while protected. `stops_asked`, `targets_asked`,
    `first_targets_asked` and `closes_asked` number what was sent for it, `…_at` when last. `flat_since`:
    first read without it. `next_stop`: a tighter one that was asked for and not read back yet.
    `recalculated_at`: when its stop was last reckoned anew. `close_reason`: which rule closes it; "" where
    none does, or for want of a stop.
    """

    symbol: str
    side: Side
    decision_key: str
    status: PositionStatus
    size: Decimal
    entry_price: Decimal
    stop: Decimal | None
    target: Decimal | None
    opened_at: datetime
    naked_since: datetime | None = None
    stops_asked: int = 0
    stop_asked_at: datetime | None = None
    targets_asked: int = 0
    target_asked_at: datetime | None = None
    closes_asked: int = 0
    close_asked_at: datetime | None = None
    flat_since: datetime | None = None
    exits: ExitRules = NO_EXIT_RULES
    first_targets_asked: int = 0
    first_target_asked_at: datetime | None = None
    next_stop: Decimal | None = None
    recalculated_at: datetime | None = None
    close_reason: str = ""


@dataclass(frozen=True, slots=True)
class CloseRequest:
    """A person wants nothing held or resting on `side` any more; what is not ours only when `foreign`."""

    side: Side
    asked_by: str
    reason: str
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class SymbolBook:
    """Our book of one symbol.

    `changed_at`: our last own event on the symbol; a read sent before it is too old to believe. `orders`:
    opening orders that are not over, those of the lock's decision, and those that ended within the last day.
    `positions`: all that are not CLOSED. `trade_ids`: fills already stored. `close_requests`: those not done.
    `may_lack_orders`: remembered from before an outage; others may have sent orders that are not in it.
    """

    symbol: str
    locked_by: str | None = None
    changed_at: datetime | None = None
    orders: tuple[TrackedOrder, ...] = ()
    positions: tuple[TrackedPosition, ...] = ()
    trade_ids: frozenset[str] = frozenset()
    close_requests: tuple[CloseRequest, ...] = ()
    may_lack_orders: bool = False

    def close_request(self, side: Side) -> CloseRequest | None:
        """Return what a person asked for on `side`."""
        return next((request for request in self.close_requests if request.side == side), None)


@dataclass(frozen=True, slots=True)
class ExchangeBook:
    """What is known of one symbol at the exchange: each part complete as of its time, or not known (None).

    The parts are read in this order, so that what filled an order is in the positions: the open orders,
    look-ups, positions, protections, trades. Each time is of the moment before its request: what happened
    later may be in it or not. `fills` are the trades since `fills_since`. `looked_up`: client id → what a
    look-up after the orders gave, None where a complete one showed none. Of a part that is not known what is
    there was seen, and nothing follows from what is absent. `quote` has a time of its own.
    """

    symbol: str
    orders_at: datetime | None = None
    orders: tuple[OrderReport, ...] = ()
    looked_up: Mapping[str, OrderReport | None] = field(default_factory=dict)
    positions_at: datetime | None = None
    positions: tuple[PositionReport, ...] = ()
    protections_at: datetime | None = None
    protections: tuple[ProtectionReport, ...] = ()
    fills_at: datetime | None = None
    fills_since: datetime | None = None
    fills: tuple[Fill, ...] = ()
    quote: Quote | None = None

    def newer_than(self, moment: datetime | None) -> ExchangeBook:
        """Return the book without the parts read at `moment` or before: they may not know what happened then.

        Trades stay: one that is shown happened, however old the list.
        """
        if moment is None:
            return self
        book = self
        if self.orders_at is not None and self.orders_at <= moment:
            book = replace(book, orders_at=None, orders=(), looked_up={})
        if self.positions_at is not None and self.positions_at <= moment:
            book = replace(book, positions_at=None, positions=())
        if self.protections_at is not None and self.protections_at <= moment:
            book = replace(book, protections_at=None, protections=())
        return book

    @property
    def trades_alone(self) -> ExchangeBook:
        """Return the book without its lists and look-ups: what is certain of a read that took long."""
        return ExchangeBook(
            self.symbol, fills_at=self.fills_at, fills_since=self.fills_since, fills=self.fills
        )
