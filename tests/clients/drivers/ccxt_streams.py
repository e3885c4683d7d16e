"""ccxt.pro.bitmart: `python ccxt_streams.py http://ADDRESS` prints what was pushed to it as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import ccxt.pro

CONTRACT = "BTC/USDT:USDT"
ISOLATED = {"marginMode": "isolated", "leverage": 5}
PUSHED_S = 20
QUIET_S = 22
"""Longer than the exchange bears a connection without a sign of life: ccxt's ping frames keep it."""


def client(address: str) -> Any:
    exchange = ccxt.pro.bitmart(
        {
            "apiKey": "simulator",
            "secret": "simulator-secret",
            "uid": "simulator",
            "options": {"defaultType": "swap"},
        }
    )
    sockets = address.replace("http", "ws")
    swap = {"public": f"{sockets}/api?protocol=1.1", "private": f"{sockets}/user?protocol=1.1"}
    exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], address) | {"ws": {"swap": swap}}
    return exchange


async def public(exchange: Any) -> Any:
    """The first push of each channel, and a second candle push on the same connection."""
    return {
        "ticker": _without_info(await _pushed(exchange.watch_ticker(CONTRACT))),
        "trades": [_without_info(each) for each in await _pushed(exchange.watch_trades(CONTRACT))],
        "candles": await _pushed(exchange.watch_ohlcv(CONTRACT, "1m")),
        "candles_again": await _pushed(exchange.watch_ohlcv(CONTRACT, "1m")),
        "book": await _pushed(exchange.watch_order_book(CONTRACT)),
        "bids_asks": sorted(await _pushed(exchange.watch_bids_asks([CONTRACT]))),
        "funding_rate": _without_info(await _pushed(exchange.watch_funding_rate(CONTRACT))),
    }


async def private(exchange: Any) -> Any:
    """What one market order, and its close, push after a quiet time."""
    orders, positions, balances = [], [], []
    heard = {"order": asyncio.Event(), "flat": asyncio.Event()}

    async def watch_orders() -> None:
        while True:
            for each in await exchange.watch_orders(CONTRACT):
                orders.append(_without_info(each))
                if each["status"] == "closed":
                    heard["order"].set()

    async def watch_positions() -> None:
        while True:
            for each in await exchange.watch_positions([CONTRACT]):
                positions.append(_without_info(each))
                if each["contracts"] == 0 and len(positions) > 1:
                    heard["flat"].set()

    async def watch_balance() -> None:
        while True:
            balances.append((await exchange.watch_balance())["USDT"])

    async def freed() -> None:
        """The position's margin is back: the exchange pushes the balance after the position, and ccxt wakes
        nobody for a push that comes while he still holds the one before, so its own books are asked."""
        while _free(exchange) < (free_before + free_held) / 2:
            await asyncio.sleep(0.1)

    watching = [asyncio.create_task(each()) for each in (watch_orders, watch_positions, watch_balance)]
    await asyncio.sleep(QUIET_S)
    free_before = _free(exchange)
    await exchange.create_order(CONTRACT, "market", "buy", 2, None, ISOLATED)
    await _pushed(heard["order"].wait())
    while not positions or _free(exchange) >= free_before:
        await asyncio.sleep(0.1)
    free_held = _free(exchange)
    await exchange.create_order(CONTRACT, "market", "sell", 2, None, {"reduceOnly": True})
    await _pushed(heard["flat"].wait())
    await _pushed(freed())
    balances.append(exchange.balance["swap"]["USDT"])
    failed = [str(each.exception()) for each in watching if each.done()]
    for each in watching:
        each.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    return {"orders": orders, "positions": positions, "balances": balances, "failed": failed}


async def _pushed(coming: Any) -> Any:
    return await asyncio.wait_for(coming, PUSHED_S)


def _free(exchange: Any) -> float:
    return float(exchange.balance["swap"]["USDT"]["free"])


def _without_info(row: Any) -> Any:
    return {name: value for name, value in row.items() if name != "info"}


async def main() -> None:
    exchange = client(sys.argv[1])
    try:
        await exchange.load_markets()
        seen = {"public": await public(exchange), "private": await private(exchange)}
    finally:
        await exchange.close()
    print(json.dumps(seen))


if __name__ == "__main__":
    asyncio.run(main())
