"""Rows of private answers with every field that is read, for tests to vary."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]

ORDER: Row = {
    "order_id": "3000236525013551",
    "client_order_id": "tv3e0001",
    "price": "65000.5",
    "size": "10",
    "symbol": "BTCUSDT",
    "state": 2,
    "side": 1,
    "type": "limit",
    "leverage": "10",
    "open_type": "isolated",
    "deal_avg_price": "0",
    "deal_size": "0",
    "create_time": 1763600000000,
    "update_time": 1763600001500,
}
TRADE: Row = {
    "order_id": "3000236525013551",
    "trade_id": "6212604014",
    "symbol": "BTCUSDT",
    "side": 3,
    "price": "26910.4",
    "vol": "1",
    "exec_type": "Taker",
    "profit": False,
    "create_time": 1695961596692,
    "realised_profit": "-0.0003",
    "paid_fees": "0.01614624",
}
PLAN: Row = {
    "order_id": "220908185908509",
    "client_order_id": "tv3s0001",
    "executive_price": "0",
    "trigger_price": "14277",
    "size": "7216",
    "symbol": "BTCUSDT",
    "state": 2,
    "side": 3,
    "plan_category": 2,
    "price_type": 1,
    "type": "stop_loss",
}
POSITION: Row = {
    "symbol": "BTCUSDT",
    "leverage": "10",
    "open_timestamp": 1709942400000,
    "mark_price": "67123.4",
    "position_cross": "670",
    "entry_price": "67000.0",
    "current_amount": "100",
    "position_amount": "100",
    "realized_value": "-4.02",
    "open_type": "isolated",
    "position_side": "long",
    "unrealized_pnl": "12.34",
    "liquidation_price": "60500.0",
}
TRANSACTION: Row = {
    "time": "1734422402121",
    "type": "Funding Fee",
    "amount": "-0.00008253",
    "asset": "USDT",
    "symbol": "LTCUSDT",
    "tran_id": "1734422402121",
    "flow_type": 3,
}
ASSET: Row = {
    "currency": "USDT",
    "available_balance": "5",
    "frozen_balance": "1",
    "unrealized": "-0.5",
    "equity": "7.5",
    "position_deposit": "2",
}
BRACKET: Row = {
    "bracket": 1,
    "initial_leverage": 50,
    "notional_cap": "10000",
    "notional_floor": "0",
    "maint_margin_ratio": "0.01",
    "cum": "0",
}


def without(row: Row, name: str) -> Row:
    return {key: value for key, value in row.items() if key != name}
