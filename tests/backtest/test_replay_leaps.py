"""Leaping from event to event changes nothing: what is left out would have come to the same."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from apps.backtest.entry_signals import EntrySignals
from apps.backtest.replay import Replay
from apps.backtest.signal_queue import QueuedSignal, SignalQueue
from apps.backtest.watch import SOON, SymbolWatch
from apps.engine import events
from apps.engine.frame import Ints
from apps.engine.values.account import AccountLimits
from apps.engine.values.contract import Contract
from apps.engine.values.position import Side
from apps.engine.values.reason import Reason
from apps.exchange.simulator.market.path import TICKS, Moment, moment
from apps.exchange.simulator.reports import datetime_of
from tests.backtest.short_replay import SYMBOLS, ZONE_HOURS, narrow_zones, played, profile, ready, replaying

HOURS, SOME_HOURS = 10, 2


class EveryTurn(SignalQueue):
    """Leaves nothing out: every READY minute is tried, and the entry itself refuses."""

    def mark_entered(self, turn: QueuedSignal) -> None:
        self.mark_refused(turn)

    def close(self, now_ms: int) -> None:
        """Nobody was left out."""

    def release_symbol(self, symbol: str, now_ms: int, cool_ms: int) -> None:
        """Nobody was left out."""

    def _fresh_rows(self, place: int) -> Ints:
        return np.arange(len(self._symbols[place]))


class EverySecond(SymbolWatch):
    """Looks each second at whatever is locked, besides when it would anyway."""

    def follow_symbol(self, symbol: str, contract: Contract, now: datetime) -> list[events.Event]:
        new_events = super().follow_symbol(symbol, contract, now)
        if symbol in self._ledger.locks:
            self._due[symbol] = min(self._due.get(symbol, now + SOON), now + SOON)
        return new_events


def market_of_readies(candle_minutes: int) -> list[EntrySignals]:
    """Three symbols, ready most of the time; each decision stands for `candle_minutes`, tried for three."""
    by = profile(max_signal_age_s=130, order_ttl_s=90)
    sides = zip(SYMBOLS, (Side.LONG, Side.SHORT, Side.LONG), strict=True)
    minutes = [minute for minute in range(60 * HOURS) if minute % 7]
    return [
        ready(symbol, minutes, by, side=side, candle_minutes=candle_minutes, atr_ratio=0.002)
        for symbol, side in sides
    ]


def streaking(readies: list[EntrySignals], watch: type[SymbolWatch]) -> Replay:
    """A replay that no number of losses in a row stops."""
    replay = replaying(readies, watch=watch)
    replay.ledger.limits = AccountLimits(symbol_stop_streak=1000, account_stop_streak=1000)
    return replay


@pytest.mark.parametrize("candle_minutes", [1, 5])
def test_ready_minutes_left_out_are_counted_by_the_reason_the_entry_gives(candle_minutes: int) -> None:
    readies = market_of_readies(candle_minutes)
    leaping = played(replaying(readies), readies, HOURS)
    plodding = played(replaying(readies, queue=EveryTurn), readies, HOURS)
    assert leaping == plodding
    left_out = {Reason.SYMBOL_LOCKED, Reason.COOLDOWN_ACTIVE}
    if candle_minutes > 1:
        left_out |= {Reason.SIGNAL_TOO_OLD, Reason.DUPLICATE_DECISION}
    assert left_out <= set(leaping.refusals)
    assert leaping.trades


def test_looking_each_second_sees_nothing_that_was_missed() -> None:
    readies = market_of_readies(1)
    leaping = played(replaying(readies), readies, SOME_HOURS)
    plodding = played(replaying(readies, watch=EverySecond), readies, SOME_HOURS)
    assert leaping == plodding
    assert leaping.unfilled
    assert leaping.trades


def test_looking_each_second_takes_no_entry_back_sooner_than_leaping() -> None:
    """Zones so narrow that the mark leaves them, or is in them only now and then at the end of an order."""
    readies = narrow_zones()
    leaping, plodding = streaking(readies, SymbolWatch), streaking(readies, EverySecond)
    assert played(leaping, readies, ZONE_HOURS) == played(plodding, readies, ZONE_HOURS)
    why = {
        event.detail.split(":")[0]
        for event in leaping.ledger.recorded
        if isinstance(event, events.OrderCancelAsked)
    }
    assert {"out of zone", "fallback at the end of the zone"} <= why
    asked, asked_plodding = (
        [event for event in each.ledger.recorded if isinstance(event, events.OrderCancelAsked)]
        for each in (leaping, plodding)
    )
    assert [(event.symbol, event.at, event.detail) for event in asked] == [
        (event.symbol, event.at, event.detail) for event in asked_plodding
    ]


def test_an_entry_is_taken_back_at_the_first_tick_at_which_the_mark_is_too_far() -> None:
    readies = narrow_zones()
    replay = streaking(readies, SymbolWatch)
    played(replay, readies, ZONE_HOURS)
    asked = [
        event
        for event in replay.ledger.recorded
        if isinstance(event, events.OrderCancelAsked) and event.detail.startswith("out of zone")
    ]
    assert len(asked) > 5
    for event in asked:
        zone = event.order.entry_rules.zone
        assert zone is not None
        now, ticks = moment(event.at), replay.exchange
        assert event.at == datetime_of(now.at_ms)
        assert zone.distance(ticks.mark(event.symbol, now)) > zone.farthest
        sent = moment(event.order.sent_at)
        for number in range(sent.number + 1, now.number):
            earlier = Moment(*divmod(number, TICKS))
            assert zone.distance(ticks.mark(event.symbol, earlier)) <= zone.farthest
