"""ccxt.bitmart over REST: `python ccxt_rest.py http://ADDRESS` prints what it was told as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import ccxt

CONTRACT, OTHER_CONTRACT = "BTC/USDT:USDT", "ETH/USDT:USDT"
ISOLATED = {"marginMode": "isolated", "leverage": 5}


def client(address: str) -> Any:
    exchange = ccxt.bitmart(
        {
            "apiKey": "simulator",
            "secret": "simulator-secret",
            "uid": "simulator",
            "options": {"defaultType": "swap"},
        }
    )
    exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], address)
    return exchange


def market(exchange: Any) -> Any:
    exchange.load_markets()
    now_ms = exchange.fetch_time()
    return {
        "markets": {name: _without_info(each) for name, each in exchange.markets.items()},
        "time_ms": now_ms,
        "status": exchange.fetch_status()["status"],
        "candles": exchange.fetch_ohlcv(CONTRACT, "1m", limit=10),
        "candles_since": exchange.fetch_ohlcv(CONTRACT, "5m", since=now_ms - 3_600_000, limit=5),
        "mark_candles": exchange.fetch_ohlcv(CONTRACT, "1m", limit=3, params={"price": "mark"}),
        "book": exchange.fetch_order_book(CONTRACT),
        "ticker": _without_info(exchange.fetch_ticker(CONTRACT)),
        "tickers": sorted(exchange.fetch_tickers()),
        "funding_rate": _without_info(exchange.fetch_funding_rate(CONTRACT)),
        "funding_rates": [
            each["timestamp"] for each in exchange.fetch_funding_rate_history(CONTRACT, limit=3)
        ],
        "open_interest": exchange.fetch_open_interest(CONTRACT)["openInterestAmount"],
    }


def settings(exchange: Any) -> Any:
    exchange.set_position_mode(True)
    exchange.set_leverage(5, CONTRACT, {"marginMode": "isolated"})
    return {
        "mode": exchange.fetch_position_mode(CONTRACT)["hedged"],
        "balance": exchange.fetch_balance({"type": "swap"})["USDT"],
    }


def resting(exchange: Any, price: float) -> Any:
    """A limit order far below the market: placed, read three ways, changed, cancelled."""
    terms = ISOLATED | {"clientOrderId": "rests1"}
    placed = exchange.create_order(CONTRACT, "limit", "buy", 2, price, terms)["id"]
    seen = exchange.fetch_order(placed, CONTRACT)
    opened = exchange.fetch_open_orders(CONTRACT)
    exchange.edit_order(placed, CONTRACT, "limit", "buy", 3, price)
    edited = exchange.fetch_order(placed, CONTRACT)
    exchange.cancel_order(placed, CONTRACT)
    several = [exchange.create_order(CONTRACT, "limit", "buy", 1, price, ISOLATED)["id"] for _ in range(2)]
    exchange.cancel_all_orders(CONTRACT)
    return {
        "placed": placed,
        "seen": _without_info(seen),
        "open": [each["id"] for each in opened],
        "edited": edited["amount"],
        "several": several,
        "open_after": exchange.fetch_open_orders(CONTRACT),
        "history": [_without_info(each) for each in exchange.fetch_closed_orders(CONTRACT)],
    }


def refused(exchange: Any, price: float) -> Any:
    """What ccxt makes of the exchange's refusals."""
    calls = {
        "unknown order": lambda: exchange.fetch_order("1", CONTRACT),
        "too large": lambda: exchange.create_order(CONTRACT, "limit", "buy", 10**8, price, ISOLATED),
        "no money": lambda: exchange.create_order(CONTRACT, "limit", "buy", 900, price, {"leverage": 1}),
        "wrong secret": lambda: _with_wrong_secret(exchange),
    }
    return {name: _fault(call) for name, call in calls.items()}


def _with_wrong_secret(exchange: Any) -> None:
    right, exchange.secret = exchange.secret, "wrong"
    try:
        exchange.set_position_mode(True)
    finally:
        exchange.secret = right


def _fault(call: Callable[[], object]) -> Any:
    try:
        call()
    except ccxt.BaseError as fault:
        return type(fault).__name__
    return None


def trading(exchange: Any, last: float) -> Any:
    """A long with a preset stop; a second stop, a target, a trigger and a trailing order; closed."""
    preset = {"preset_stop_loss_price": _tick(last * 0.9), "preset_stop_loss_price_type": 1}
    opened = exchange.create_order(CONTRACT, "market", "buy", 3, None, ISOLATED | preset)["id"]
    _wait(lambda: exchange.fetch_order(opened, CONTRACT)["status"] == "closed")
    positions = [_without_info(each) for each in exchange.fetch_positions([CONTRACT])]
    stop = exchange.create_order(CONTRACT, "market", "sell", 3, None, {"stopLossPrice": last * 0.95})["id"]
    target = exchange.create_order(CONTRACT, "limit", "sell", 3, last * 1.1, {"takeProfitPrice": last * 1.1})[
        "id"
    ]
    trigger = exchange.create_order(
        CONTRACT, "limit", "buy", 1, last * 1.2, ISOLATED | {"triggerPrice": last * 1.2}
    )["id"]
    trailing = exchange.create_order(
        CONTRACT,
        "market",
        "sell",
        1,
        None,
        ISOLATED | {"trailingPercent": 1, "trailingTriggerPrice": last * 1.2, "reduceOnly": True},
    )["id"]
    waiting = exchange.fetch_open_orders(CONTRACT, params={"trigger": True})
    trailing_open = exchange.fetch_open_orders(CONTRACT, params={"trailing": True})
    exchange.edit_order(
        stop, CONTRACT, "market", "sell", None, None, {"stopLossPrice": last * 0.96, "category": "market"}
    )
    moved = _waiting(exchange)[stop]
    exchange.cancel_order(trailing, CONTRACT, {"trailing": True})
    exchange.cancel_order(trigger, CONTRACT, {"trigger": True})
    exchange.cancel_order(target, CONTRACT, {"trigger": True})
    left = sorted(_waiting(exchange))
    closing = exchange.create_order(CONTRACT, "market", "sell", 3, None, {"reduceOnly": True})["id"]
    _wait(lambda: exchange.fetch_order(closing, CONTRACT)["status"] == "closed")
    orphans = sorted(_waiting(exchange))
    for each in orphans:
        exchange.cancel_order(each, CONTRACT, {"trigger": True})
    return {
        "orphans": orphans,
        "opened": opened,
        "stop": stop,
        "target": target,
        "trigger": trigger,
        "trailing": trailing,
        "closing": closing,
        "positions": positions,
        "waiting": {
            each["id"]: {name: each[name] for name in ("type", "side", "amount")} for each in waiting
        },
        "trailing_open": [each["id"] for each in trailing_open],
        "moved": moved,
        "left": left,
        "held_after": [each["contracts"] for each in exchange.fetch_positions([CONTRACT])],
        "trades": [_without_info(each) for each in exchange.fetch_my_trades(CONTRACT)],
        "closed": [each["id"] for each in exchange.fetch_closed_orders(CONTRACT)],
        "ledger": [_without_info(each) for each in exchange.fetch_ledger("USDT")],
        "funding": exchange.fetch_funding_history(CONTRACT),
        "balance": exchange.fetch_balance({"type": "swap"})["USDT"],
    }


def plain(exchange: Any) -> Any:
    """Orders as ccxt sends them when nothing is said: cross margin, no leverage; in one-way mode."""
    exchange.set_position_mode(False)
    held = []
    for side, amount, more in (("buy", 3, {}), ("sell", 1, {}), ("sell", 2, {"reduceOnly": True})):
        order = exchange.create_order(OTHER_CONTRACT, "market", side, amount, None, more)["id"]
        _wait(lambda of=order: exchange.fetch_order(of, OTHER_CONTRACT)["status"] == "closed")
        held.append(
            [(each["side"], each["contracts"]) for each in exchange.fetch_positions([OTHER_CONTRACT])]
        )
    return {
        "hedged": exchange.fetch_position_mode(OTHER_CONTRACT)["hedged"],
        "held": held,
        "balance": exchange.fetch_balance({"type": "swap"})["USDT"],
    }


def _waiting(exchange: Any) -> Any:
    """Trigger prices by id. (ccxt 4.5.70 itself looks for them under a name that plan orders do not have.)"""
    return {
        each["id"]: float(each["info"]["trigger_price"])
        for each in exchange.fetch_open_orders(CONTRACT, params={"trigger": True})
    }


def _wait(done: Callable[[], object], within_s: float = 20) -> None:
    until = time.monotonic() + within_s
    while not done():
        if time.monotonic() > until:
            raise TimeoutError("the exchange did not come to it")
        time.sleep(0.3)


def _tick(price: float) -> str:
    return f"{price:.1f}"


def _without_info(row: Any) -> Any:
    return {name: value for name, value in row.items() if name != "info"}


if __name__ == "__main__":
    exchange = client(sys.argv[1])
    seen = {"market": market(exchange), "settings": settings(exchange)}
    last = seen["market"]["ticker"]["last"]
    seen["resting"] = resting(exchange, round(last * 0.9, 1))
    seen["refused"] = refused(exchange, round(last * 0.9, 1))
    seen["trading"] = trading(exchange, last)
    seen["plain"] = plain(exchange)
    print(json.dumps(seen))
