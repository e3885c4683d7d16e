"""What a contract takes, for those that must be closed."""

from __future__ import annotations

import structlog

from apps.engine.ports import Broker
from apps.engine.values.contract import Contract
from apps.market import store as market

log = structlog.get_logger("positions")


class ContractCache:
    """As stored by the feed, delisted ones too; one that is not stored is asked for at the exchange, once."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._asked: dict[str, Contract | None] = {}

    def of(self, symbol: str) -> Contract | None:
        """None for a symbol that nobody lists. Raises what the broker raises."""
        stored = market.find_contract(symbol)
        if stored is not None:
            return stored
        if symbol not in self._asked:
            listed = {one.symbol: one for one in self._broker.contracts()}
            self._asked[symbol] = listed.get(symbol)
            if symbol not in listed:
                log.warning("contract_not_listed", symbol=symbol, effect="followed without its limits")
        return self._asked[symbol]
