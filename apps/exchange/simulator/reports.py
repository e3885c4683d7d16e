"""The account's rows as the engine's values: what the broker in process reads back."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from apps.engine.values.order import Fill, OrderReport, ProtectionKind, ProtectionReport
from apps.engine.values.position import Bracket, PositionReport, Side, Transaction, TransactionKind
from apps.exchange.simulator.holdings import ZERO, Entry, Position, Trade
from apps.exchange.simulator.listing import Listing
from apps.exchange.simulator.margin import liquidation_price, position_margin, unrealised
from apps.exchange.simulator.rows import Order, Plan
from apps.exchange.simulator.words import (
    BUYS,
    CLEARANCE,
    CLOSE_LONG,
    CLOSE_SHORT,
    COMMISSION,
    FUNDING,
    LONG,
    OPEN_LONG,
    OPEN_SHORT,
    OVER,
    REALISED,
    TRANSFER,
    WHOLE,
)

PRICE_DIGITS = Decimal("1e-18")
"""Averages are told as exactly as the exchange writes them."""

SIDE_NUMBERS = {
    (Side.LONG, True): OPEN_LONG,
    (Side.SHORT, False): CLOSE_SHORT,
    (Side.LONG, False): CLOSE_LONG,
    (Side.SHORT, True): OPEN_SHORT,
}
"""(the position's side, whether it opens) → side. In one-way mode the same table: 2 and 3 are reduce-only."""

_MEANINGS = {number: meaning for meaning, number in SIDE_NUMBERS.items()}
_KINDS = {"stop_loss": ProtectionKind.STOP, "take_profit": ProtectionKind.TARGET}
_FLOWS = {
    TRANSFER: TransactionKind.TRANSFER,
    REALISED: TransactionKind.REALISED,
    FUNDING: TransactionKind.FUNDING,
    COMMISSION: TransactionKind.FEE,
    CLEARANCE: TransactionKind.LIQUIDATION,
}


def moment(at_ms: int) -> datetime:
    """Milliseconds since 1970 as an aware moment, exactly."""
    seconds, rest = divmod(at_ms, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)


def order_report(order: Order) -> OrderReport:
    side, opens = _MEANINGS[order.side]
    return OrderReport(
        exchange_order_id=order.key,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=side,
        opens=opens,
        price=order.price,
        size=Decimal(order.size),
        filled=Decimal(order.filled),
        average_price=(order.value / order.filled).quantize(PRICE_DIGITS) if order.filled else ZERO,
        open=order.state != OVER,
        updated_at=moment(order.updated_ms),
    )


def fill(trade: Trade) -> Fill:
    side, opens = _MEANINGS[trade.side]
    return Fill(
        trade_id=trade.key,
        exchange_order_id=str(trade.order_id),
        symbol=trade.symbol,
        side=side,
        opens=opens,
        price=trade.price,
        size=Decimal(trade.contracts),
        fee=trade.fee,
        realised=trade.realised,
        is_maker=trade.maker,
        at=moment(trade.at_ms),
    )


def position_report(listing: Listing, held: Position, last: Decimal, mark: Decimal) -> PositionReport:
    return PositionReport(
        symbol=held.symbol,
        side=Side.LONG if held.position_type == LONG else Side.SHORT,
        size=Decimal(held.size),
        entry_price=held.entry_price,
        mark_price=mark,
        leverage=held.leverage,
        isolated=held.open_type == "isolated",
        margin=position_margin(listing, held),
        unrealised=unrealised(listing, held, last),
        realised=held.realised,
        liquidation_price=liquidation_price(listing, held),
        opened_at=moment(held.opened_ms),
    )


def protection_report(plan: Plan) -> ProtectionReport | None:
    """None for a plan that is neither stop nor target."""
    if plan.kind not in _KINDS:
        return None
    return ProtectionReport(
        exchange_order_id=plan.key,
        client_order_id=plan.client_order_id,
        symbol=plan.symbol,
        side=Side.SHORT if plan.side in BUYS else Side.LONG,
        kind=_KINDS[plan.kind],
        trigger_price=plan.trigger_price,
        size=None if plan.category == WHOLE else Decimal(plan.size),
    )


def transaction(entry: Entry) -> Transaction:
    kind = _FLOWS[entry.flow_type]
    return Transaction(
        transaction_id=f"{entry.key}:{kind}:{entry.symbol}",
        kind=kind,
        amount=entry.amount,
        symbol=entry.symbol,
        at=moment(entry.at_ms),
    )


def brackets(listing: Listing) -> list[Bracket]:
    """Rising by cap."""
    found = (
        Bracket(
            notional_cap=Decimal(row["notional_cap"]),
            max_leverage=int(row["initial_leverage"]),
            maintenance_ratio=Decimal(row["maint_margin_ratio"]),
            cum=Decimal(row["cum"]),
        )
        for row in listing.brackets
    )
    return sorted(found, key=lambda each: each.notional_cap)
