"""A READY minute of the past becomes an order, or a refusal: the live entry on the market of that moment."""

from __future__ import annotations

from datetime import datetime

from apps.backtest.entry_signals import EntrySignals
from apps.backtest.ledger import MemoryLedger
from apps.engine.cycle import EntryResult, SendResult, enter, fall_back, precheck, refused_event
from apps.engine.enter import guards
from apps.engine.enter.observation import Features, Observation
from apps.engine.ports.account import Broker
from apps.engine.profile import Profile
from apps.engine.values.book import TrackedOrder
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
        symbol, verdict = signals.symbol, signals.verdict(row)
        decision = precheck(verdict, self._profile, self._ledger.state([symbol], now), now)
        if isinstance(decision, Refusal):
            self._ledger.record([refused_event(decision, verdict, self._profile.name, now)])
            return decision
        return enter(
            decision,
            self._observation(symbol, signals.features(row), now),
            broker=self._broker,
            ledger=self._ledger,
            last_check=lambda plan: guards.send_refusal(plan, self._ledger.off, now),
            clock=lambda: now,
        )

    def fall_back(self, order: TrackedOrder, now: datetime) -> SendResult | Refusal:
        """Send what an order that was taken back at the end of its time left unfilled."""
        assert self._profile.entry is not None  # its order was planned by it
        plan, _ = self._ledger.plans[order.decision_key]
        return fall_back(
            order,
            plan,
            self._profile.entry,
            read_market=lambda: self._observation(order.symbol, {}, now),
            broker=self._broker,
            ledger=self._ledger,
            last_check=lambda plan: guards.send_refusal(plan, self._ledger.off, now),
            clock=lambda: now,
        )

    def _observation(self, symbol: str, features: Features, now: datetime) -> Observation:
        if symbol not in self._terms:
            self._terms[symbol] = tuple(self._broker.brackets(symbol)), self._broker.fee_rates(symbol)
        brackets, fees = self._terms[symbol]
        account = self._broker.account()
        self._ledger.risk.add_equity(account.equity, now)
        return Observation(
            contract=self._contracts[symbol],
            brackets=brackets,
            quote=self._broker.quote(symbol),
            account=account,
            fees=fees,
            features=features,
        )
