"""A READY minute of the past becomes an order, or a refusal: the live entry on the market of that moment."""

from __future__ import annotations

from datetime import datetime

from apps.backtest.ledger import MemoryLedger
from apps.backtest.readies import Readies
from apps.engine import cycle
from apps.engine.cycle import EntryResult
from apps.engine.enter import guards
from apps.engine.enter.observation import Observation
from apps.engine.ports import Broker
from apps.engine.profile import Profile
from apps.engine.values.contract import Contract
from apps.engine.values.position import Bracket, FeeRates
from apps.engine.values.reason import Refusal


class Entering:
    """`broker` stands at the moment of each entry. What seldom changes is read once, as live does."""

    def __init__(self, profile: Profile, ledger: MemoryLedger, broker: Broker) -> None:
        self._profile = profile
        self._ledger = ledger
        self._broker = broker
        self._contracts = {one.symbol: one for one in broker.contracts()}
        self._terms: dict[str, tuple[tuple[Bracket, ...], FeeRates]] = {}

    def contract(self, symbol: str) -> Contract:
        return self._contracts[symbol]

    def enter(self, one: Readies, row: int, now: datetime) -> EntryResult | Refusal:
        """Try one READY minute. KeyError for a symbol that the exchange does not list."""
        brackets, fees = self._terms_of(one.symbol)
        snapshot = Observation(
            contract=self._contracts[one.symbol],
            brackets=brackets,
            quote=self._broker.quote(one.symbol),
            account=self._broker.account(),
            fees=fees,
            features=one.features(row),
        )
        return cycle.enter(
            one.verdict(row),
            self._profile,
            snapshot,
            broker=self._broker,
            ledger=self._ledger,
            last_check=lambda plan: guards.send_refusal(plan, self._ledger.off, now),
            now=now,
        )

    def _terms_of(self, symbol: str) -> tuple[tuple[Bracket, ...], FeeRates]:
        if symbol not in self._terms:
            self._terms[symbol] = tuple(self._broker.brackets(symbol)), self._broker.fee_rates(symbol)
        return self._terms[symbol]
