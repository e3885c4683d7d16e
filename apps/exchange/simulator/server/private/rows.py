"""Orders, plans, trades, ledger lines, positions and balances as REST answers and pushes write them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from apps.exchange.simulator.account.account import Account
from apps.exchange.simulator.account.margin import (
    entry_value,
    liquidation_price,
    maintenance,
    max_value,
    position_margin,
    unrealised,
)
from apps.exchange.simulator.account.rows import LedgerLine, Order, Plan, Position, Presets, Trade
from apps.exchange.simulator.codes import CLEARANCE, COMMISSION, FUNDING, HEDGE, LONG, REALISED, TRANSFER
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.listing import Listing
from apps.exchange.simulator.market.path import Moment
from apps.exchange.simulator.matching.new_order import frozen_contracts
from apps.exchange.simulator.server.views import plain

FLOWS = {
    TRANSFER: "Transfer",
    REALISED: "Realized PNL",
    FUNDING: "Funding Fee",
    COMMISSION: "Commission Fee",
    CLEARANCE: "Liquidation Clearance",
}
SHOWN_DIGITS = Decimal("1e-18")


def number(value: Decimal) -> str:
    """Plain digits, at most 18 of them after the point."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -18:
        value = value.quantize(SHOWN_DIGITS)
    return plain(value)


def average(value: Decimal, contracts: int) -> str:
    return number(value / contracts) if contracts else "0"


def order_row(order: Order) -> dict[str, Any]:
    return {
        "order_id": str(order.order_id),
        "client_order_id": order.client_order_id,
        "price": number(order.price),
        "size": str(order.size),
        "symbol": order.symbol,
        "state": order.state,
        "side": order.side,
        "type": order.kind,
        "position_mode": order.position_mode,
        "account": "futures",
        "leverage": str(order.leverage),
        "open_type": order.open_type,
        "deal_avg_price": average(order.value, order.filled),
        "deal_size": str(order.filled),
        "trigger_price": number(order.trigger_price),
        "execution_price": "0",
        "activation_price": "",
        "callback_rate": "",
        "activation_price_type": 0,
        "executive_order_id": "",
        **preset_fields(order.presets),
        "create_time": order.created_ms,
        "update_time": order.updated_ms,
    }


def planned_order_row(plan: Plan) -> dict[str, Any]:
    """A plan among orders: it has no fills of its own."""
    trailing = plan.kind == "trailing"
    return {
        "order_id": str(plan.order_id),
        "client_order_id": plan.client_order_id,
        "price": number(plan.executive_price),
        "size": str(plan.size),
        "symbol": plan.symbol,
        "state": plan.state,
        "side": plan.side,
        "type": "trailing" if trailing else "planorder",
        "position_mode": plan.position_mode,
        "account": "futures",
        "leverage": str(plan.leverage),
        "open_type": plan.open_type,
        "deal_avg_price": "0",
        "deal_size": "0",
        "trigger_price": "0" if trailing else number(plan.trigger_price),
        "execution_price": number(plan.executive_price),
        "activation_price": number(plan.trigger_price) if trailing else "",
        "callback_rate": number(plan.callback_pct) if trailing else "",
        "activation_price_type": plan.price_type if trailing else 0,
        "executive_order_id": "",
        **preset_fields(plan.presets),
        "create_time": plan.created_ms,
        "update_time": plan.updated_ms,
    }


def plan_row(plan: Plan, size: int) -> dict[str, Any]:
    """`size`: of a whole-position plan, what is held."""
    return {
        "order_id": str(plan.order_id),
        "client_order_id": plan.client_order_id,
        "executive_price": number(plan.executive_price),
        "trigger_price": number(plan.trigger_price),
        "size": str(size),
        "symbol": plan.symbol,
        "state": plan.state,
        "side": plan.side,
        "mode": plan.mode,
        "position_mode": plan.position_mode,
        "price_way": plan.price_way,
        "price_type": plan.price_type,
        "plan_category": plan.category,
        "type": plan.kind,
        "leverage": str(plan.leverage),
        "open_type": plan.open_type,
        **preset_fields(plan.presets),
        "create_time": plan.created_ms,
        "update_time": plan.updated_ms,
    }


def trade_row(trade: Trade) -> dict[str, Any]:
    return {
        "order_id": str(trade.order_id),
        "client_order_id": trade.client_order_id,
        "trade_id": str(trade.trade_id),
        "symbol": trade.symbol,
        "side": trade.side,
        "price": number(trade.price),
        "vol": str(trade.contracts),
        "exec_type": "Maker" if trade.maker else "Taker",
        "profit": trade.realised > 0,
        "realised_profit": number(trade.realised),
        "paid_fees": number(trade.fee),
        "account": "futures",
        "create_time": trade.at_ms,
    }


def transaction_row(entry: LedgerLine) -> dict[str, Any]:
    return {
        "time": str(entry.at_ms),
        "type": FLOWS[entry.flow_type],
        "amount": number(entry.amount),
        "asset": "USDT",
        "symbol": entry.symbol,
        "account": "futures",
        "tran_id": str(entry.entry_id),
        "flow_type": entry.flow_type,
    }


def transfer_row(entry: LedgerLine) -> dict[str, Any]:
    return {
        "transfer_id": str(entry.entry_id),
        "currency": "USDT",
        "amount": number(abs(entry.amount)),
        "type": entry.transfer,
        "state": "FINISHED",
        "timestamp": entry.at_ms,
    }


def preset_fields(presets: Presets) -> dict[str, Any]:
    return {
        "preset_take_profit_price_type": presets.take_profit_type,
        "preset_stop_loss_price_type": presets.stop_loss_type,
        "preset_take_profit_price": number(presets.take_profit) if presets.take_profit else "",
        "preset_stop_loss_price": number(presets.stop_loss) if presets.stop_loss else "",
    }


OPEN_TYPE_NUMBERS = {"isolated": 1, "cross": 2}


def position_row(
    listing: Listing, position: Position, last: Decimal, mark: Decimal, mode: str, now_ms: int
) -> dict[str, Any]:
    """/contract/private/position. Maintenance and margin are measured at the entry price."""
    return {
        **_common(listing, position, last, mark, now_ms),
        "unrealized_value": number(unrealised(listing, position, last)),
        "position_type": position.position_type,
        "margin_type": position.open_type.capitalize(),
        "position_mode": mode,
    }


def position_v2_row(
    listing: Listing, position: Position, last: Decimal, mark: Decimal, mode: str, now_ms: int
) -> dict[str, Any]:
    """/contract/private/position-v2: only the position_amount of a one-way short is negative."""
    short = position.position_type != LONG
    amount = -position.size if mode != HEDGE and short else position.size
    side = "both" if mode != HEDGE else ("short" if short else "long")
    return {
        **_common(listing, position, last, mark, now_ms),
        "position_amount": str(amount),
        "open_type": position.open_type,
        "position_side": side,
        "position_type": position.position_type,
        "unrealized_pnl": number(unrealised(listing, position, last)),
        "liquidation_price": number(liquidation_price(listing, position)),
        "max_notional_value": number(max_value(listing, position.leverage)),
        "initial_margin": number(entry_value(listing, position) / position.leverage),
    }


def risk_row(
    listing: Listing, position: Position, last: Decimal, mark: Decimal, mode: str, now_ms: int
) -> dict[str, Any]:
    """/contract/private/position-risk."""
    short = position.position_type != LONG
    return {
        "symbol": position.symbol,
        "position_amt": str(-position.size if mode != HEDGE and short else position.size),
        "mark_price": number(mark),
        "unrealized_profit": number(unrealised(listing, position, last)),
        "liquidation_price": number(liquidation_price(listing, position)),
        "leverage": str(position.leverage),
        "max_notional_value": number(max_value(listing, position.leverage)),
        "margin_type": position.open_type.capitalize(),
        "isolated_margin": number(position_margin(listing, position)),
        "position_side": "Both" if mode != HEDGE else ("Short" if short else "Long"),
        "notional": number(position.size * listing.contract_size * mark),
        "update_time": now_ms,
        "account": "futures",
    }


def pushed_position(account: Account, position: Position) -> dict[str, Any]:
    listing = account.listing(position.symbol)
    return {
        "symbol": position.symbol,
        "hold_volume": str(position.size),
        "position_type": position.position_type,
        "open_type": OPEN_TYPE_NUMBERS[position.open_type],
        "frozen_volume": str(frozen_contracts(account, position)),
        "close_volume": str(position.closed),
        "hold_avg_price": _entry(position),
        "close_avg_price": average(position.closed_value, position.closed),
        "open_avg_price": number(position.entry_price),
        "liquidate_price": number(liquidation_price(listing, position)),
        "create_time": position.opened_ms,
        "update_time": position.updated_ms,
        "position_mode": account.wallet.position_mode,
    }


def asset(exchange: Exchange, currency: str, at: Moment) -> dict[str, str]:
    """One row of assets-detail; there is money in USDT alone."""
    account = exchange.account
    if currency != "USDT":
        zeros = ("available_balance", "frozen_balance", "unrealized", "equity", "position_deposit")
        return {"currency": currency} | dict.fromkeys(zeros, "0")
    gain = account.unrealised(lambda symbol: exchange.last(symbol, at))
    return {
        "currency": currency,
        "available_balance": number(account.available),
        "frozen_balance": number(account.frozen),
        "unrealized": number(gain),
        "equity": number(account.wallet.cash + gain),
        "position_deposit": number(account.deposit),
    }


def _common(
    listing: Listing, position: Position, last: Decimal, mark: Decimal, now_ms: int
) -> dict[str, Any]:
    coins, value = position.size * listing.contract_size, entry_value(listing, position)
    return {
        "symbol": position.symbol,
        "leverage": str(position.leverage),
        "timestamp": now_ms,
        "current_fee": number(position.funding),
        "open_timestamp": position.opened_ms,
        "current_value": number(coins * last),
        "mark_price": number(mark),
        "mark_value": number(coins * mark),
        "position_value": number(value),
        "position_cross": number(position_margin(listing, position)),
        "maintenance_margin": number(maintenance(listing, value)),
        "close_vol": str(position.closed),
        "close_avg_price": average(position.closed_value, position.closed),
        "open_avg_price": _entry(position),
        "entry_price": _entry(position),
        "current_amount": str(position.size),
        "realized_value": number(position.realised),
        "account": "futures",
    }


def _entry(position: Position) -> str:
    return number(position.entry_price) if position.size else "0"
