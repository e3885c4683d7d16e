"""A READY minute of the past becomes an order, or a refusal: the live entry on the market of that moment."""

from __future__ import annotations

from datetime import datetime

from apps.backtest.entry_signals import EntrySignals
from apps.backtest.ledger import MemoryLedger
from apps.engine import cycle
from apps.engine.cycle import EntryResult
from apps.engine.enter import guards
from apps.engine.enter.observation import Observation
from apps.engine.ports import Broker
from apps.engine.profile import Profile
from apps.engine.values.contract import Contract
from apps.engine.values.position import Bracket, FeeRates
from apps.engine.values.reason import Refusal


class EntryPlacer:
    """`broker` stands at the moment of each entry. What seldom changes is read once, as live does."""

    def __init__(self, profile: Profile, ledger: MemoryLedger, broker: Broker) -> None:
        self._profile = profile
        self._ledger = ledger
        self._broker = broker
        self._contracts = {contract.symbol: contract for contract in broker.contracts()}
        self._terms: dict[str, tuple[tuple[Bracket, ...], FeeRates]] = {}

    def contract(self, symbol: str) -> Contract:
        return self._contracts[symbol]

    def enter(self, signals: EntrySignals, row: int, now: datetime) -> EntryResult | Refusal:
        """Try one READY minute. KeyError for a symbol that the exchange does not list."""
        symbol = signals.symbol
        if symbol not in self._terms:
            self._terms[symbol] = tuple(self._broker.brackets(symbol)), self._broker.fee_rates(symbol)
        brackets, fees = self._terms[symbol]
        observation = Observation(
            contract=self._contracts[symbol],
            brackets=brackets,
            quote=self._broker.quote(symbol),
            account=self._broker.account(),
            fees=fees,
            features=signals.features(row),
        )
        return cycle.enter(
            signals.verdict(row),
            self._profile,
            observation,
            broker=self._broker,
            ledger=self._ledger,
            last_check=lambda plan: guards.send_refusal(plan, self._ledger.off, now),
            now=now,
        )
