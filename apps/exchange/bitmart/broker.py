"""BitMart as the engine's Broker: one account, its reads and its orders."""

from __future__ import annotations

from apps.exchange.bitmart.account_reads import AccountReads
from apps.exchange.bitmart.client import Client
from apps.exchange.bitmart.market_reads import MarketReads
from apps.exchange.bitmart.order_reads import OrderReads
from apps.exchange.bitmart.reader import Reader
from apps.exchange.bitmart.trading import Trading
from apps.exchange.bitmart.writes import Writes


class Broker(MarketReads, AccountReads, OrderReads, Writes):
    """See the port. Safe to share between threads."""

    def __init__(self, client: Client, trading: Trading) -> None:
        self._client = client
        self._reader = Reader(client)
        self._trading = trading

    def close(self) -> None:
        self._client.close()
        self._trading.close()
