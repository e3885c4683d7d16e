"""What is pushed to who logged in: (topic, text) pairs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apps.exchange.simulator.account.rows import Order, Plan, Position
from apps.exchange.simulator.codes import LAST_PRICE
from apps.exchange.simulator.exchange import Commit, Exchange
from apps.exchange.simulator.market.path import Moment
from apps.exchange.simulator.matching.matching import Event
from apps.exchange.simulator.server.private.account_routes import CURRENCIES
from apps.exchange.simulator.server.private.rows import asset, average, number, pushed_position
from apps.exchange.simulator.server.views import compact

ORDER, POSITION = "futures/order", "futures/position"
PLAN_NAMES = {"plan": "plan_order", "trailing": "trailing_order"}
UNSET = "-"

Texts = list[tuple[str, str]]


def account_changes(exchange: Exchange, commit: Commit) -> Texts:
    """Return each event by itself and in order, then the positions that changed."""
    texts = [(ORDER, _message(ORDER, [order_data(event)])) for event in commit.events]
    return texts + positions(exchange, commit.positions) if commit.positions else texts


def positions(exchange: Exchange, chosen: Iterable[Position]) -> Texts:
    rows = [pushed_position(exchange.account, each) for each in chosen]
    return [(POSITION, _message(POSITION, rows))]


def assets(exchange: Exchange, at: Moment) -> Texts:
    """Return a text a currency, without equity and unrealised profit."""
    names = ("currency", "available_balance", "position_deposit", "frozen_balance")
    texts = []
    for currency in CURRENCIES:
        topic, row = f"futures/asset:{currency}", asset(exchange, currency, at)
        texts.append((topic, _message(topic, {name: row[name] for name in names})))
    return texts


def order_data(event: Event) -> dict[str, Any]:
    row = event.row
    order = _order_fields(row) if isinstance(row, Order) else _plan_fields(row)
    trade = event.trade
    last_trade = trade and {
        "lastTradeID": trade.trade_id,
        "fillQty": str(trade.contracts),
        "fillPrice": number(trade.price),
        "fee": number(-trade.fee),  # negative when paid, as in the exchange's example
        "feeCcy": "USDT",
    }
    return {"action": event.action, "order": order | {"last_trade": last_trade}}


def _order_fields(order: Order) -> dict[str, Any]:
    return {
        **_common(order),
        "price": number(order.price),
        "type": order.kind,
        "deal_avg_price": average(order.value, order.filled),
        "deal_size": str(order.filled),
        "plan_order_id": str(order.plan_order_id or ""),
        **dict.fromkeys(
            (
                "trigger_price",
                "trigger_price_type",
                "execution_price",
                "activation_price_type",
                "activation_price",
                "callback_rate",
            ),
            UNSET,
        ),
    }


def _plan_fields(plan: Plan) -> dict[str, Any]:
    trailing = plan.kind == "trailing"
    price, kind = number(plan.trigger_price), "last_price" if plan.price_type == LAST_PRICE else "fair_price"
    return {
        **_common(plan),
        "price": number(plan.executive_price),
        "type": PLAN_NAMES.get(plan.kind, plan.kind),
        "deal_avg_price": "0",
        "deal_size": "0",
        "plan_order_id": "",
        "trigger_price": UNSET if trailing else price,
        "trigger_price_type": UNSET if trailing else kind,
        "execution_price": number(plan.executive_price),
        "activation_price_type": kind if trailing else UNSET,
        "activation_price": price if trailing else UNSET,
        "callback_rate": number(plan.callback_pct) if trailing else UNSET,
    }


def _common(row: Order | Plan) -> dict[str, Any]:
    return {
        "order_id": str(row.order_id),
        "client_order_id": row.client_order_id,
        "size": str(row.size),
        "symbol": row.symbol,
        "state": row.state,
        "side": row.side,
        "leverage": str(row.leverage),
        "open_type": row.open_type,
        "create_time": row.created_ms,
        "update_time": row.updated_ms,
        "position_mode": row.position_mode,
    }


def _message(topic: str, data: Any) -> str:
    return compact({"group": topic, "data": data})
