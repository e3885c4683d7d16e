"""The replay: what the past's verdicts would have come to, by the code that trades.

One account, one profile, several symbols. The clock leaps from event to event: a READY minute that may be
entered, a tick of the market that changes the account, a look of the watch, the end of a day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from apps.backtest.entering import Entering
from apps.backtest.following import Following
from apps.backtest.ledger import MemoryLedger
from apps.backtest.outcome import Outcome
from apps.backtest.readies import Readies
from apps.backtest.trades import trades
from apps.backtest.turns import Turns
from apps.backtest.unfilled import plans_by_order, unfilled
from apps.backtest.worth import WorthOverTime
from apps.engine import events
from apps.engine.cycle import EntryResult
from apps.engine.profile import Profile
from apps.engine.values.account import AccountLimits
from apps.engine.values.reason import Reason, Refusal
from apps.exchange.simulator.broker import Broker
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.path import milliseconds
from apps.exchange.simulator.matching.matching import Rules
from apps.exchange.simulator.reports import datetime_of

DECISION_LATENCY_S = 1
"""A READY minute is entered so long after its close: live needs about as much."""

LAST_TICK = timedelta(milliseconds=100)
"""A minute's last tick is so long before its end."""

DAY = timedelta(days=1)
DEFAULT_LIMITS = AccountLimits()

Progress = Callable[[datetime], None]


def run(
    profile: Profile,
    readies: Sequence[Readies],
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

    Symbols take precedence within a minute in the order of `readies`. `market` has the minutes of [start,
    end) and of the hour before. `pessimistic`: what a candle leaves open goes against the account, see
    `simulator.pessimism`. `limits` are the account's over all profiles. `progress` is told each day's end.
    ValueError for an empty stretch.
    """
    if start >= end:
        raise ValueError(f"nothing to replay: it begins at {start:%Y-%m-%d %H:%M} and ends at {end:%H:%M}")
    rules = Rules.pessimistic(_slippage_bps(profile)) if pessimistic else Rules()
    floor = Exchange.open(market, milliseconds(start), balance=equity, rules=rules)
    replay = Replay(profile, Turns(readies, DECISION_LATENCY_S * 1000), floor, start, limits)
    replay.play(end - LAST_TICK, progress)
    return replay.outcome(profile, readies, start, end, equity)


class Replay:
    """One run in progress. `now` only goes forward."""

    def __init__(
        self,
        profile: Profile,
        turns: Turns,
        floor: Exchange,
        start: datetime,
        limits: AccountLimits = DEFAULT_LIMITS,
    ) -> None:
        self.turns = turns
        self.floor = floor
        self.ledger = MemoryLedger(limits=limits, keeps_refusals=False)
        self.broker = Broker(self.floor, start)
        self.following = Following(self.ledger, self.broker)
        self.entering = Entering(profile, self.ledger, self.broker)
        self._refusals: Counter[Reason] = Counter()
        self._worth = WorthOverTime(self.floor, start)
        self._day_ends = start.replace(hour=0, minute=0, second=0, microsecond=0) + DAY - LAST_TICK

    def play(self, until: datetime, progress: Progress | None = None) -> None:
        """Everything that is due up to `until`, in its order."""
        while True:
            target = min(until, self._next())
            changed_ms = self.floor.play_on(milliseconds(target))
            now = self.broker.now = target if changed_ms is None else datetime_of(changed_ms)
            self._heed(now)
            if changed_ms is not None:
                continue
            if now >= self._day_ends:
                self._worth.note(now)
                if progress is not None:
                    progress(now)
                self._day_ends += DAY
            self._look(now)
            self._enter(now)
            if now >= until:
                self._worth.note(now)
                self.turns.over(milliseconds(now))
                return

    def outcome(
        self,
        profile: Profile,
        readies: Sequence[Readies],
        start: datetime,
        end: datetime,
        equity: Decimal,
    ) -> Outcome:
        """What is known now, as the outcome of [start, end)."""
        now_ms = milliseconds(self.broker.now)
        verdicts: Counter[str] = Counter()
        for one in readies:
            verdicts.update(one.verdicts)
        return Outcome(
            profile=profile.name,
            digest=profile.digest,
            symbols=tuple(one.symbol for one in readies),
            start=start,
            end=end,
            equity=equity,
            trades=trades(self.floor, plans_by_order(self.ledger), now_ms),
            unfilled=unfilled(self.ledger, self.broker.now),
            worth=self._worth.points,
            refusals=self._refusals + self.turns.missed,
            verdicts=verdicts,
            candles=sum(one.candles for one in readies),
        )

    def _next(self) -> datetime:
        """When something other than the market is due."""
        turn_ms, look_at = self.turns.at_ms, self.following.at
        due = [self._day_ends]
        if turn_ms is not None:
            due.append(datetime_of(turn_ms))
        if look_at is not None:
            due.append(look_at)
        return min(due)

    def _heed(self, now: datetime) -> None:
        """What the exchange did since the last time is told and remembered."""
        told = self.floor.commit()
        if not told.changed:
            return
        for symbol in {event.row.symbol for event in told.events} | {one.symbol for one in told.positions}:
            self.following.pushed(symbol, now)
        self.ledger.take_over(self.broker.transactions(now))
        self._worth.changed(now)

    def _look(self, now: datetime) -> None:
        for event in self.following.look(now, self.entering.contract):
            if isinstance(event, events.SymbolReleased):
                cool_until = self.ledger.cooldowns.get(event.symbol, now)
                self.turns.freed(event.symbol, milliseconds(now), milliseconds(cool_until))
        self._heed(now)

    def _enter(self, now: datetime) -> None:
        now_ms = milliseconds(now)
        while self.turns.at_ms is not None and self.turns.at_ms <= now_ms:
            turn = self.turns.pop()
            entered = self.entering.enter(self.turns.readies(turn), turn.row, now)
            if isinstance(entered, Refusal):
                self._refusals[entered.reason] += 1
                self.turns.refused(turn)
            else:
                self.turns.entered(turn)
                self._count_denied(entered)
                self.following.pushed(entered.plan.symbol, now)
            self._heed(now)

    def _count_denied(self, entered: EntryResult) -> None:
        if entered.sent is not None and entered.sent.reason is not None:
            self._refusals[entered.sent.reason] += 1


def _slippage_bps(profile: Profile) -> Decimal:
    return Decimal(0) if profile.entry is None else profile.entry.stop_slippage_bps
