"""Orders, plans, trades and ledger lines as REST answers write them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from apps.exchange.simulator.account.rows import LedgerLine, Order, Plan, Presets, Trade
from apps.exchange.simulator.codes import CLEARANCE, COMMISSION, FUNDING, REALISED, TRANSFER
from apps.exchange.simulator.server.wire import plain

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
