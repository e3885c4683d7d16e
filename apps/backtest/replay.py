"""The replay: what a profile's verdicts over the past would have come to, by the code that trades.

One account, one profile, several symbols. The clock leaps from event to event: a READY minute that may be
entered, a tick of the market that changes the account, a look of the watch, the end of a day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from apps.backtest.enter import EntryPlacer
from apps.backtest.entry_signals import EntrySignals, entry_signals, judge_past
from apps.backtest.ledger import MemoryLedger
from apps.backtest.outcome import EquityPoint, Outcome
from apps.backtest.signal_queue import SignalQueue
from apps.backtest.source import Source
from apps.backtest.trades import plans_by_order, trades, unfilled_orders
from apps.backtest.watch import SymbolWatch
from apps.engine import events
from apps.engine.profile import Profile
from apps.engine.values.account import AccountLimits
from apps.engine.values.reason import Reason, Refusal
from apps.exchange.simulator.broker import Broker
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.path import milliseconds, moment
from apps.exchange.simulator.market.state import DEFAULT_SEED
from apps.exchange.simulator.matching.matching import Rules
from apps.exchange.simulator.reports import datetime_of

DECISION_LATENCY_S = 1
"""A READY minute is entered so long after its close: live needs about as much."""

LAST_TICK = timedelta(milliseconds=100)
"""A minute's last tick is so long before its end."""

DAY = timedelta(days=1)
DEFAULT_LIMITS = AccountLimits()

Progress = Callable[[datetime], None]


def run_backtest(
    source: Source,
    profile: Profile,
    *,
    equity: Decimal,
    pessimistic: bool,
    limits: AccountLimits,
    on_judged: Callable[[str], None],
    on_day_traded: Progress,
) -> Outcome:
    """Judge every symbol of `source` at every minute, then trade what was READY with `equity` USDT.

    `on_judged` is called with each symbol, `on_day_traded` with each day's end. The same arguments give the
    same outcome.
    """
    signals = []
    for symbol in source.range.symbols:
        signals.append(entry_signals(judge_past(source, symbol, profile)))
        on_judged(symbol)
    return trade_signals(
        profile,
        signals,
        Market(source.archive, DEFAULT_SEED),
        start=source.range.start,
        end=source.range.end,
        equity=equity,
        pessimistic=pessimistic,
        limits=limits,
        progress=on_day_traded,
    )


def trade_signals(
    profile: Profile,
    signals: Sequence[EntrySignals],
    market: Market,
    *,
    start: datetime,
    end: datetime,
    equity: Decimal,
    pessimistic: bool = False,
    limits: AccountLimits = DEFAULT_LIMITS,
    progress: Progress | None = None,
) -> Outcome:
    """Trade the READY minutes of [start, end) on an account that begins with `equity` USDT.

    Symbols take precedence within a minute in the order of `signals`. `market` has the minutes of [start,
    end) and of the hour before. `pessimistic`: what a candle leaves open goes against the account, see
    `Rules.worst_case`. `limits` are the account's over all profiles. `progress` is called at each day's end.
    ValueError for an empty range.
    """
    if start >= end:
        raise ValueError(f"nothing to replay: it begins at {start:%Y-%m-%d %H:%M} and ends at {end:%H:%M}")
    slippage_bps = Decimal(0) if profile.entry is None else profile.entry.stop_slippage_bps
    rules = Rules.worst_case(slippage_bps) if pessimistic else Rules()
    exchange = Exchange.open(market, milliseconds(start), balance=equity, rules=rules)
    replay = Replay(profile, SignalQueue(signals, DECISION_LATENCY_S * 1000), exchange, start, limits)
    replay.play(end - LAST_TICK, progress)
    return replay.outcome(profile, signals, start, end, equity)


class Replay:
    """One run in progress. `now` only goes forward."""

    def __init__(
        self,
        profile: Profile,
        queue: SignalQueue,
        exchange: Exchange,
        start: datetime,
        limits: AccountLimits = DEFAULT_LIMITS,
    ) -> None:
        self.queue = queue
        self.exchange = exchange
        self.ledger = MemoryLedger(limits=limits, keeps_refusals=False)
        self.broker = Broker(self.exchange, start)
        self.watch = SymbolWatch(self.ledger, self.broker, exchange.mark_leaves)
        self.placer = EntryPlacer(profile, self.ledger, self.broker)
        self._refusals: Counter[Reason] = Counter()
        self._equity_curve: list[EquityPoint] = []
        self._day_ends = start.replace(hour=0, minute=0, second=0, microsecond=0) + DAY - LAST_TICK
        self._add_equity_point(start)

    def play(self, until: datetime, progress: Progress | None = None) -> None:
        """Do everything that is due up to `until`, in its order."""
        while True:
            due = [until, self._day_ends]
            if self.queue.next_at_ms is not None:
                due.append(datetime_of(self.queue.next_at_ms))
            if self.watch.next_at is not None:
                due.append(self.watch.next_at)
            target = min(due)
            changed_ms = self.exchange.play_on(milliseconds(target))
            now = self.broker.now = target if changed_ms is None else datetime_of(changed_ms)
            self._take_over_changes(now)
            if changed_ms is not None:
                continue
            if now >= self._day_ends:
                self._add_equity_point(now)
                if progress is not None:
                    progress(now)
                self._day_ends += DAY
            for event in self.watch.follow_due(now, self.placer.contract):
                if isinstance(event, events.SymbolReleased):
                    cool_until = self.ledger.cooldowns.get(event.symbol, now)
                    self.queue.release_symbol(event.symbol, milliseconds(now), milliseconds(cool_until))
            self._take_over_changes(now)
            self._send_waiting_rests(now)
            self._enter_due_signals(now)
            if now >= until:
                self._add_equity_point(now)
                self.queue.close(milliseconds(now))
                return

    def outcome(
        self,
        profile: Profile,
        signals: Sequence[EntrySignals],
        start: datetime,
        end: datetime,
        equity: Decimal,
    ) -> Outcome:
        """Return what is known now, as the outcome of [start, end)."""
        verdicts: Counter[str] = Counter()
        for each in signals:
            verdicts.update(each.verdicts)
        return Outcome(
            profile=profile.name,
            digest=profile.digest,
            symbols=tuple(each.symbol for each in signals),
            start=start,
            end=end,
            equity=equity,
            trades=trades(self.exchange, plans_by_order(self.ledger), milliseconds(self.broker.now)),
            unfilled=unfilled_orders(self.ledger, self.broker.now),
            equity_points=tuple(self._equity_curve),
            refusals=self._refusals + self.queue.missed,
            verdicts=verdicts,
            candles=sum(each.candles for each in signals),
        )

    def _take_over_changes(self, now: datetime) -> None:
        """Remember what the exchange did since the last time, and have the watch look at it."""
        commit = self.exchange.commit()
        if not commit.changed:
            return
        symbols = {event.row.symbol for event in commit.events} | {each.symbol for each in commit.positions}
        for symbol in symbols:
            self.watch.note_push(symbol, now)
        self.ledger.save_transactions(self.broker.transactions(now))
        if self.exchange.account.wallet.cash != self._equity_curve[-1].balance:
            self._add_equity_point(now)

    def _send_waiting_rests(self, now: datetime) -> None:
        for order in self.watch.take_waiting():
            outcome = self.placer.fall_back(order, now)
            is_unconfirmed = isinstance(outcome, Refusal) and outcome.reason is Reason.FALLBACK_NOT_CONFIRMED
            if not is_unconfirmed:
                self.watch.note_push(order.symbol, now)
            self._take_over_changes(now)

    def _enter_due_signals(self, now: datetime) -> None:
        now_ms = milliseconds(now)
        while self.queue.next_at_ms is not None and self.queue.next_at_ms <= now_ms:
            signal = self.queue.pop()
            entry = self.placer.enter(self.queue.signals(signal), signal.row, now)
            if isinstance(entry, Refusal):
                self._refusals[entry.reason] += 1
                self.queue.mark_refused(signal)
            else:
                self.queue.mark_entered(signal)
                if entry.sent is not None and entry.sent.reason is not None:
                    self._refusals[entry.sent.reason] += 1
                self.watch.note_push(entry.plan.symbol, now)
            self._take_over_changes(now)

    def _add_equity_point(self, now: datetime) -> None:
        """Store the account's worth now; of one moment only the last point is kept."""
        at = moment(now)
        balance = self.exchange.account.wallet.cash
        equity = balance + self.exchange.account.unrealised(lambda symbol: self.exchange.last(symbol, at))
        if self._equity_curve and self._equity_curve[-1].at == now:
            self._equity_curve.pop()
        self._equity_curve.append(EquityPoint(now, balance, equity))
        self.ledger.risk.add_equity(equity, now)
