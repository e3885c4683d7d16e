"""The engine's Broker over an exchange in this process, without the wire between.

What the bodies of a client say over HTTP is said here by calls; nothing of trading is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from apps.engine.ports.account import BrokerRejected, BrokerUnknown, Listing
from apps.engine.values.contract import Contract
from apps.engine.values.order import (
    Fill,
    OrderReport,
    OrderRequest,
    ProtectionKind,
    ProtectionReport,
    TimeInForce,
)
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
from apps.engine.values.venue import VenueConstraints
from apps.exchange.simulator import reports
from apps.exchange.simulator.account import account_settings
from apps.exchange.simulator.account.margin import MAKER, TAKER
from apps.exchange.simulator.account.rows import NO_PRESETS, Presets
from apps.exchange.simulator.codes import (
    FOK,
    GTC,
    HEDGE,
    IOC,
    LAST_PRICE,
    MAKER_ONLY,
    ONE_WAY,
    QUANTITY,
    WHOLE,
    Code,
    Refused,
)
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.path import milliseconds, moment
from apps.exchange.simulator.matching import orders
from apps.exchange.simulator.matching.matching import CANCELLED
from apps.exchange.simulator.matching.new_order import NewOrder
from apps.exchange.simulator.reports import SIDE_NUMBERS, contract

CONSTRAINTS = VenueConstraints(
    signature_valid_s=70,
    answer_s=5,
    candles_per_request=499,
    fee_reads_apart_s=3.0,
    standard_fees=FeeRates(maker=MAKER, taker=TAKER),
)
"""Of the exchange as its server presents it; in process an answer comes at once."""
_POSITION_MODES = {PositionMode.HEDGE: HEDGE, PositionMode.ONE_WAY: ONE_WAY}


class Broker:
    """See the port. There is no clock: every call happens at `now`, which the caller moves forward.

    The exchange is the caller's: he commits it, and is told what happened then.
    """

    def __init__(self, exchange: Exchange, now: datetime) -> None:
        self._exchange = exchange
        self.now = now

    def server_offset_ms(self) -> float:
        return 0.0

    def contracts(self) -> list[Contract]:
        market = self._exchange.market
        return [
            contract(market, self._exchange.ticker_stats, symbol, moment(self.now))
            for symbol in market.symbols
        ]

    def brackets(self, symbol: str) -> list[Bracket]:
        with self._answering(symbol) as exchange:
            return reports.brackets(exchange.account.listing(symbol))

    def fee_rates(self, symbol: str) -> FeeRates:
        with self._answering(symbol):
            return FeeRates(MAKER, TAKER)

    def quote(self, symbol: str) -> Quote:
        with self._answering(symbol) as exchange:
            at, price = moment(self.now), exchange.account.listing(symbol).price
            bid, ask = exchange.market.minute_path(symbol, at.minute).book(at.tick)
            mark, last = exchange.mark(symbol, at), exchange.last(symbol, at)
            return Quote(symbol, price(bid), price(ask), mark, last, self.now)

    def account(self) -> Account:
        with self._answering() as exchange:
            books, at = exchange.account, moment(self.now)
            frozen, deposit = books.frozen, books.deposit
            return Account(
                available=books.wallet.cash - frozen - deposit,
                frozen=frozen,
                position_margin=deposit,
                unrealised=books.unrealised(lambda symbol: exchange.last(symbol, at)),
            )

    def position_mode(self) -> PositionMode:
        return PositionMode.HEDGE if self._exchange.account.hedged else PositionMode.ONE_WAY

    def set_position_mode(self, mode: PositionMode) -> None:
        with self._answering() as exchange:
            account_settings.set_position_mode(exchange.account, _POSITION_MODES[mode])

    def set_leverage(self, symbol: str, leverage: int) -> None:
        with self._answering(symbol) as exchange:
            account_settings.set_leverage(exchange.account, symbol, leverage, ISOLATED)

    def submit(self, request: OrderRequest, before_sending: Callable[[], None] | None = None) -> str:
        """Accepted, and let into the market at once. ValueError for a size that is not whole and positive."""
        order = new_order(request)
        if before_sending is not None:
            before_sending()
        with self._answering(request.symbol) as exchange:
            accepted = orders.place_order(
                exchange.account, order, exchange.tick_at(request.symbol, self._now_ms)
            )
            exchange.settle()
            return accepted.key

    def cancel(self, symbol: str, client_order_id: str) -> None:
        with self._answering(symbol) as exchange:
            for order in exchange.account.live_orders(symbol):
                if order.client_order_id == client_order_id:
                    exchange.matching.finish(order, CANCELLED, self._now_ms)

    def all_orders(self) -> Listing[OrderReport]:
        return Listing(self._orders(None))

    def orders(self, symbol: str) -> list[OrderReport]:
        return self._orders(symbol)

    def _orders(self, symbol: str | None) -> list[OrderReport]:
        with self._answering() as exchange:
            return [reports.order_report(order) for order in exchange.account.live_orders(symbol)]

    def order(self, symbol: str, client_order_id: str) -> OrderReport | None:
        with self._answering() as exchange:
            for order in reversed(exchange.account.orders.values()):
                if (order.symbol, order.client_order_id) == (symbol, client_order_id):
                    return reports.order_report(order)
            return None

    def fills(self, symbol: str, since: datetime) -> list[Fill]:
        with self._answering() as exchange:
            newest_first = [
                reports.fill(trade)
                for trade in exchange.account.trades_since(milliseconds(since))
                if trade.symbol == symbol
            ]
            return newest_first[::-1]

    def all_positions(self) -> Listing[PositionReport]:
        return Listing(self._positions(None))

    def positions(self, symbol: str) -> list[PositionReport]:
        return self._positions(symbol)

    def _positions(self, symbol: str | None) -> list[PositionReport]:
        with self._answering() as exchange:
            at = moment(self.now)
            return [
                reports.position_report(
                    exchange.account.listing(held.symbol),
                    held,
                    exchange.last(held.symbol, at),
                    exchange.mark(held.symbol, at),
                )
                for held in exchange.account.open_positions(symbol)
            ]

    def all_protections(self) -> Listing[ProtectionReport]:
        return Listing(self._protections(None))

    def protections(self, symbol: str) -> list[ProtectionReport]:
        return self._protections(symbol)

    def _protections(self, symbol: str | None) -> list[ProtectionReport]:
        with self._answering() as exchange:
            rows = (reports.protection_report(plan) for plan in exchange.account.live_plans(symbol))
            return [report for report in rows if report is not None]

    def protect(
        self,
        symbol: str,
        side: Side,
        kind: ProtectionKind,
        trigger_price: Decimal,
        client_order_id: str,
        size: Decimal | None = None,
    ) -> str:
        with self._answering(symbol) as exchange:
            number = reports.SIDE_NUMBERS[side, False]
            orders.check_position_open(exchange.account, symbol, number)
            plan = orders.protection_plan(
                exchange.account,
                symbol,
                stop=kind is ProtectionKind.STOP,
                side=number,
                trigger_price=trigger_price,
                price_type=LAST_PRICE,
                at_ms=self._now_ms,
            )
            sized = replace(plan, category=WHOLE, client_order_id=client_order_id)
            if size is not None:
                sized = replace(sized, category=QUANTITY, size=whole_size(symbol, size))
            return orders.place_plan(exchange.matching, sized).key

    def unprotect(self, symbol: str, exchange_order_id: str) -> None:
        with self._answering(symbol) as exchange:
            for plan in exchange.account.live_plans(symbol):
                if plan.key == exchange_order_id:
                    exchange.matching.finish(plan, CANCELLED, self._now_ms)

    def cancel_after(self, symbol: str, timeout_s: int) -> None:
        with self._answering(symbol) as exchange:
            account_settings.cancel_after(exchange.account, symbol, timeout_s, self._now_ms)

    def transactions(self, since: datetime) -> list[Transaction]:
        with self._answering() as exchange:
            newest_first = exchange.account.ledger_since(milliseconds(since))
            return [reports.transaction(line) for line in newest_first][::-1]

    @property
    def _now_ms(self) -> int:
        return milliseconds(self.now)

    @contextmanager
    def _answering(self, symbol: str | None = None) -> Iterator[Exchange]:
        """The exchange as it is now; what it refuses is the exchange's no. `symbol` must be listed.

        An id that is taken says that the order may be there already: BrokerUnknown.
        """
        try:
            if symbol is not None and symbol not in self._exchange.market.row:
                raise Refused(Code.BAD_SYMBOL)
            self._exchange.advance(self._now_ms)
            yield self._exchange
        except Refused as refusal:
            if refusal.code == Code.CLIENT_ID_TAKEN:
                raise BrokerUnknown(str(refusal)) from refusal
            raise BrokerRejected(str(refusal.code.value), refusal.message) from refusal


ISOLATED = "isolated"
_MODES = {
    TimeInForce.GTC: GTC,
    TimeInForce.FOK: FOK,
    TimeInForce.IOC: IOC,
    TimeInForce.POST_ONLY: MAKER_ONLY,
}


def new_order(request: OrderRequest) -> NewOrder:
    """Return the exchange's order; ValueError for a size that is no positive whole number of contracts."""
    stop, target = request.stop_price, request.target_price
    presets = Presets(
        take_profit=target or Decimal(0),
        take_profit_type=LAST_PRICE if target else 0,
        stop_loss=stop or Decimal(0),
        stop_loss_type=LAST_PRICE if stop else 0,
    )
    return NewOrder(
        symbol=request.symbol,
        side=SIDE_NUMBERS[request.side, request.opens],
        size=whole_size(request.symbol, request.size),
        price=request.price,
        mode=_MODES[request.time_in_force],
        leverage=request.leverage if request.opens else None,
        open_type=ISOLATED if request.opens else "",
        client_order_id=request.client_order_id,
        presets=presets if request.opens else NO_PRESETS,
    )


def whole_size(symbol: str, size: Decimal) -> int:
    """Return the contracts; ValueError unless they are a positive whole number."""
    if size != size.to_integral_value() or size <= 0:
        raise ValueError(f"{symbol}: size {size} is not a positive whole number of contracts")
    return int(size)
