"""The private GET routes, and the POST routes of leverage, position mode and transfers.

Lists of the past come newest first, at most 200 rows of at most 90 days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from apps.exchange.simulator.account import account_settings
from apps.exchange.simulator.account.margin import MAKER, TAKER
from apps.exchange.simulator.account.rows import Order, Plan, Position
from apps.exchange.simulator.codes import HEDGE, LONG, ONE_WAY, OVER, SHORT, TRANSFER, Code, Refused
from apps.exchange.simulator.market.listing import Listing
from apps.exchange.simulator.matching.new_order import OPEN_TYPES
from apps.exchange.simulator.server.private import fields
from apps.exchange.simulator.server.private.fields import PrivateCall
from apps.exchange.simulator.server.private.rows import (
    asset,
    number,
    order_row,
    plan_row,
    planned_order_row,
    position_row,
    position_v2_row,
    risk_row,
    trade_row,
    transaction_row,
    transfer_row,
)

MOST_ROWS, MOST_OPEN = 200, 100
DAY_MS = 86_400_000
DEFAULT_SPAN_MS, MOST_SPAN_MS = 7 * DAY_MS, 90 * DAY_MS
CURRENCIES = ("USDT", "BTC", "ETH")

Build = Callable[[Listing, Position, Decimal, Decimal, str, int], dict[str, Any]]


def assets_detail(call: PrivateCall) -> Any:
    return [asset(call.exchange, currency, call.moment) for currency in CURRENCIES]


def trade_fee_rate(call: PrivateCall) -> Any:
    return {"symbol": call.symbol, "taker_fee_rate": number(TAKER), "maker_fee_rate": number(MAKER)}


def position_mode(call: PrivateCall) -> Any:
    return {"position_mode": call.account.wallet.position_mode}


def order(call: PrivateCall) -> Any:
    symbol, order_id = call.symbol, fields.text(call.fields, "order_id")
    row = call.account.orders.get(order_id) or call.account.plans.get(order_id)
    if row is None or row.symbol != symbol:
        raise Refused(Code.NO_ORDER)
    return _written(row)


def open_orders(call: PrivateCall) -> Any:
    symbol, limit = call.symbol_or_all, fields.within(call.fields, "limit", 1, MOST_OPEN, MOST_OPEN)
    kind = fields.text(call.fields, "type")
    rows = [_written(each) for each in call.account.live_orders(symbol)]
    rows += [planned_order_row(each) for each in call.account.live_plans(symbol) if each.kind == "trailing"]
    if fields.text(call.fields, "order_state") == "partially_filled":
        rows = [row for row in rows if row["deal_size"] != "0"]
    return _newest([row for row in rows if not kind or row["type"] == kind])[:limit]


def plan_orders(call: PrivateCall) -> Any:
    symbol, limit = call.symbol_or_all, fields.within(call.fields, "limit", 1, MOST_OPEN, MOST_OPEN)
    kind, plan_type = fields.text(call.fields, "type"), fields.text(call.fields, "plan_type")
    plans = [each for each in call.account.live_plans(symbol) if each.kind != "trailing"]
    if plan_type:
        plans = [each for each in plans if each.protects == (plan_type == "profit_loss")]
    if kind:
        plans = [each for each in plans if bool(each.executive_price) == (kind == "limit")]
    return _newest(
        [plan_row(each, each.size or call.account.position(each.symbol, each.closes).size) for each in plans]
    )[:limit]


def order_history(call: PrivateCall) -> Any:
    """Orders that are over, and plans that are; by the time they were made."""
    symbol, (start, end) = call.symbol, _span_ms(call, unit_ms=1000)
    over: Iterable[Order | Plan] = (*call.account.orders.values(), *call.account.plans.values())
    rows = [
        _written(each)
        for each in over
        if each.state == OVER and each.symbol == symbol and start <= each.created_ms < end
    ]
    return _newest([row for row in rows if _is_asked_for(call, row)])[:MOST_ROWS]


def trades(call: PrivateCall) -> Any:
    symbol, (start, end) = call.symbol_or_all, _span_ms(call, unit_ms=1000)
    rows = [
        trade_row(each)
        for each in call.account.trades.values()
        if symbol in (None, each.symbol) and start <= each.at_ms < end
    ]
    return [row for row in reversed(rows) if _is_asked_for(call, row)][:MOST_ROWS]


def transactions(call: PrivateCall) -> Any:
    symbol, (start, end) = call.symbol_or_all, _span_ms(call, unit_ms=1)
    flow_type = fields.within(call.fields, "flow_type", 0, 5, 0)
    size = fields.within(call.fields, "page_size", 1, 1000, 100)
    rows = [
        transaction_row(each)
        for each in call.account.ledger_lines.values()
        if symbol in (None, each.symbol) and flow_type in (0, each.flow_type) and start <= each.at_ms <= end
    ]
    return rows[::-1][:size]


def positions(call: PrivateCall) -> Any:
    return _positions(call, position_row, call.account.open_positions(call.symbol_or_all))


def positions_v2(call: PrivateCall) -> Any:
    return _positions(call, position_v2_row, _even_flat(call))


def position_risk(call: PrivateCall) -> Any:
    return _positions(call, risk_row, _even_flat(call))


def _even_flat(call: PrivateCall) -> list[Position]:
    """With a symbol rows are given even when flat: two when hedged, one in one-way mode."""
    symbol, account = call.symbol_or_all, call.account
    if symbol is None:
        return account.open_positions()
    if account.hedged:
        return [_fresh(call, account.position(symbol, side)) for side in (LONG, SHORT)]
    return account.open_positions(symbol) or [_fresh(call, account.position(symbol, LONG))]


def _fresh(call: PrivateCall, position: Position) -> Position:
    """A flat row has nothing of the position that was there before."""
    if position.size:
        return position
    contract = call.account.contract(position.symbol)
    return Position(position.symbol, position.position_type, contract.leverage, contract.open_type, 0, 0)


def _positions(call: PrivateCall, build: Build, held: Iterable[Position]) -> list[dict[str, Any]]:
    mode, exchange = call.account.wallet.position_mode, call.exchange
    return [
        build(
            call.account.listing(each.symbol),
            each,
            exchange.last(each.symbol, call.moment),
            exchange.mark(each.symbol, call.moment),
            mode,
            call.as_of_ms,
        )
        for each in held
    ]


def _written(row: Order | Plan) -> dict[str, Any]:
    return order_row(row) if isinstance(row, Order) else planned_order_row(row)


def _is_asked_for(call: PrivateCall, row: dict[str, Any]) -> bool:
    return all(call.fields.get(name) in (None, "", row[name]) for name in ("order_id", "client_order_id"))


def _newest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: int(row["order_id"]), reverse=True)


def _span_ms(call: PrivateCall, *, unit_ms: int) -> tuple[int, int]:
    """The wanted time, both ends included whole; without one the last 7 days."""
    now = call.now_ms // unit_ms
    end = fields.whole(call.fields, "end_time", default=now, refusal=Code.BAD_TIME)
    start = fields.whole(
        call.fields, "start_time", default=end - DEFAULT_SPAN_MS // unit_ms, refusal=Code.BAD_TIME
    )
    if start > end or (end - start) * unit_ms > MOST_SPAN_MS:
        raise Refused(Code.BAD_TIME)
    return start * unit_ms, (end + 1) * unit_ms


LEAST_TRANSFER, MOST_TRANSFER = Decimal("0.01"), Decimal(10**10)
DIRECTIONS = ("spot_to_contract", "contract_to_spot")
DEFAULT_WINDOW_MS, MOST_WINDOW_MS = 5000, 60_000
EARLY_MS = 1000


def submit_leverage(call: PrivateCall) -> Any:
    """A change is refused while a position or an opening order holds the old setting."""
    symbol = call.symbol
    open_type = fields.one_of(call.fields, "open_type", OPEN_TYPES, Code.BAD_OPEN_TYPE)
    contract = account_settings.set_leverage(call.account, symbol, fields.leverage(call.fields), open_type)
    return {
        "symbol": symbol,
        "leverage": str(contract.leverage),
        "open_type": open_type,
        "max_value": str(call.listing.max_leverage),
    }


def set_position_mode(call: PrivateCall) -> Any:
    mode = fields.one_of(call.fields, "position_mode", (HEDGE, ONE_WAY), Code.BAD_PARAMETER)
    account_settings.set_position_mode(call.account, mode)
    return {"position_mode": mode}


def transfer(call: PrivateCall) -> Any:
    _check_window(call)
    fields.one_of(call.fields, "currency", ("USDT",), Code.BAD_PARAMETER)
    direction = fields.one_of(call.fields, "type", DIRECTIONS, Code.BAD_PARAMETER)
    amount = fields.decimal(call.fields, "amount")
    if not LEAST_TRANSFER <= amount <= MOST_TRANSFER:
        raise Refused(Code.BAD_PARAMETER)
    out = direction == "contract_to_spot"
    if out and amount > call.account.available:
        raise Refused(Code.NO_BALANCE)
    call.account.book_line(TRANSFER, -amount if out else amount, "", call.now_ms, transfer=direction)
    return {"currency": "USDT", "amount": number(amount)}


def transfers(call: PrivateCall) -> Any:
    _check_window(call)
    page = fields.within(call.fields, "page", 1, 1000)
    limit = fields.within(call.fields, "limit", 10, 100)
    start = fields.whole(call.fields, "time_start", default=0)
    end = fields.whole(call.fields, "time_end", default=call.now_ms)
    rows = [
        transfer_row(each)
        for each in call.account.ledger_lines.values()
        if each.transfer and start <= each.at_ms <= end
    ]
    return {"records": rows[::-1][(page - 1) * limit : page * limit]}


def _check_window(call: PrivateCall) -> None:
    """These two routes alone know recvWindow: how old the signature may be."""
    window_ms = fields.within(call.fields, "recvWindow", 1, MOST_WINDOW_MS, DEFAULT_WINDOW_MS)
    if not (call.stamp_ms < call.now_ms + EARLY_MS and call.now_ms - call.stamp_ms <= window_ms):
        raise Refused(Code.STAMP_RANGE)
