"""One private request, ready to be carried out."""

from __future__ import annotations

from dataclasses import dataclass

from apps.exchange.simulator.account.account import Account
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.listing import Listing
from apps.exchange.simulator.market.path import Moment
from apps.exchange.simulator.matching.matching import Tick
from apps.exchange.simulator.server.faults import Faults
from apps.exchange.simulator.server.private import fields
from apps.exchange.simulator.server.private.fields import Fields


@dataclass(frozen=True, slots=True)
class PrivateCall:
    """`fields` are the query's or the body's; `now_ms` is the server's clock, `stamp_ms` what was signed."""

    fields: Fields
    floor: Exchange
    faults: Faults
    moment: Moment
    now_ms: int
    stamp_ms: int = 0

    @property
    def account(self) -> Account:
        return self.floor.account

    @property
    def symbol(self) -> str:
        return fields.symbol(self.fields, self.floor.market.archive)

    @property
    def symbol_or_all(self) -> str | None:
        return fields.symbol_or_all(self.fields, self.floor.market.archive)

    @property
    def listing(self) -> Listing:
        return self.account.listing(self.symbol)

    @property
    def tick(self) -> Tick:
        """The contract as it is quoted now."""
        return self.floor.tick_at(self.symbol, self.now_ms)
