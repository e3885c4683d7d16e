"""The account's rows and the contracts as the engine's values: what the broker in process reads."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from apps.engine.values.contract import Contract
from apps.engine.values.order import Fill, OrderReport, ProtectionKind, ProtectionReport
from apps.engine.values.position import Bracket, PositionReport, Side, Transaction, TransactionKind
from apps.exchange.simulator.account.margin import unrealised
from apps.exchange.simulator.account.rows import ZERO, LedgerLine, Order, Plan, Position, Trade
from apps.exchange.simulator.codes import (
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
from apps.exchange.simulator.market.listing import Listing
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.path import Moment
from apps.exchange.simulator.market.ticker_stats import (
    FUNDING_HOURS,
    FUNDING_S,
    TickerStats,
    next_settlement_s,
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


def datetime_of(at_ms: int) -> datetime:
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
        updated_at=datetime_of(order.updated_ms),
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
        at=datetime_of(trade.at_ms),
    )


def position_report(listing: Listing, held: Position, last: Decimal, mark: Decimal) -> PositionReport:
    return PositionReport(
        symbol=held.symbol,
        side=Side.LONG if held.position_type == LONG else Side.SHORT,
        size=Decimal(held.size),
        entry_price=held.entry_price,
        mark_price=mark,
        unrealised=unrealised(listing, held, last),
        opened_at=datetime_of(held.opened_ms),
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


def transaction(entry: LedgerLine) -> Transaction:
    kind = _FLOWS[entry.flow_type]
    return Transaction(
        transaction_id=f"{entry.key}:{kind}:{entry.symbol}",
        kind=kind,
        amount=entry.amount,
        symbol=entry.symbol,
        at=datetime_of(entry.at_ms),
    )


def brackets(listing: Listing) -> list[Bracket]:
    """Return the brackets, rising by cap."""
    rows = (
        Bracket(
            notional_cap=Decimal(row["notional_cap"]),
            max_leverage=int(row["initial_leverage"]),
            maintenance_ratio=Decimal(row["maint_margin_ratio"]),
            cum=Decimal(row["cum"]),
        )
        for row in listing.brackets
    )
    return sorted(rows, key=lambda each: each.notional_cap)


ONE = Decimal(1)


def contract(market: Market, ticker_stats: TickerStats, symbol: str, at: Moment) -> Contract:
    """Its steps and limits, its last 24 hours up to the minute's open, and its funding."""
    listing, day = market.archive.listing(symbol), ticker_stats.day(symbol, at)
    last = listing.price(market.minute_path(symbol, at.minute).last.price(at.tick))
    index = market.path(at.minute).straight(at.tick)[market.row[symbol]]
    interest = ticker_stats.open_interest(symbol, at)
    settles_s = next_settlement_s(at)
    return Contract(
        symbol=symbol,
        base=listing.base,
        quote="USDT",
        contract_size=listing.contract_size,
        tick_size=listing.tick,
        volume_step=ONE,
        min_volume=ONE,
        max_volume=Decimal(listing.max_volume),
        market_max_volume=Decimal(listing.market_max_volume),
        min_leverage=ONE,
        max_leverage=Decimal(listing.max_leverage),
        status=listing.status,
        listed_at=datetime.fromtimestamp(listing.listed_at_ms / 1000, UTC),
        delist_at=None,
        expires_at=None,
        settles_at=None,
        last_price=last,
        index_price=listing.price(int(index)),
        volume_24h=Decimal(day.volume),
        turnover_24h=Decimal(day.turnover).scaleb(-listing.price_decimals - listing.volume_decimals),
        high_24h=listing.price(day.high),
        low_24h=listing.price(day.low),
        change_24h_ratio=last / listing.price(day.opened) - 1,
        open_interest=Decimal(interest),
        open_interest_value=last * listing.coins(interest),
        funding_rate_ratio=ticker_stats.funding_rate(symbol, settles_s),
        expected_funding_rate_ratio=ticker_stats.funding_rate(symbol, settles_s + FUNDING_S),
        funding_interval_hours=FUNDING_HOURS,
        funding_at=datetime.fromtimestamp(settles_s, UTC),
    )
