"""What a contract takes, for those that must be closed."""

from __future__ import annotations

from apps.engine.ports import Broker
from apps.engine.values.contract import Contract
from apps.market import store as market


class Contracts:
    """As stored by the feed; one that it never stored is asked for at the exchange, once."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._asked: dict[str, Contract] = {}

    def of(self, symbol: str) -> Contract:
        """LookupError for a symbol that nobody lists; or what the broker raises."""
        stored = market.find_contract(symbol)
        if stored is not None:
            return stored
        if symbol not in self._asked:
            self._asked = {one.symbol: one for one in self._broker.contracts()}
        if symbol not in self._asked:
            raise LookupError(f"{symbol} is held, and the exchange lists no such contract")
        return self._asked[symbol]
