"""Which day of the tape brings trades soon, for each minute of the day at which somebody may start.

After the shipped profiles or the tape have changed, test_lively.py may say that it no longer holds; this
writes it anew, in some minutes:

    ./run manage shell -c "from tests.backtest import lively; lively.write()"
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from rich.progress import track

from apps.backtest.entry_signals import EntrySignals, entry_signals, judge_past
from apps.backtest.replay import trade_signals
from apps.backtest.request import recorded_range
from apps.backtest.source import CandleRange, open_recorded
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.state import DAYS, DEFAULT_SEED, LIVELY
from apps.profiles.files import load_profiles

PROFILES = ("scalper_micro", "scalper", "regular")
"""What trades when nobody says otherwise."""

SET_UP = timedelta(minutes=2)
"""From the command to the first decision, generously."""

WITHIN = timedelta(minutes=15)
SOON = timedelta(minutes=11)
"""A day with a position so soon, and another one within the quarter, is not improved upon."""


class Recorded:
    """The tape's READY minutes by profile, to be traded from any moment on."""

    def __init__(self) -> None:
        reach = recorded_range()
        assert reach.start is not None
        assert reach.end is not None
        self.start = reach.start
        source = open_recorded(CandleRange(reach.symbols, reach.start, reach.end))
        self._market = Market(source.archive, DEFAULT_SEED)
        profiles = load_profiles(Path(__file__).resolve().parents[2] / "profiles", PROFILES)
        self._readies = [
            (profile, [entry_signals(judge_past(source, symbol, profile)) for symbol in reach.symbols])
            for profile in profiles
        ]

    def waits(self, day: int, minute: int) -> list[timedelta]:
        """From a start at that minute until each position of the first quarter of an hour, rising."""
        started = self.start + timedelta(days=day, minutes=minute)
        opened: list[datetime] = []
        for profile, whole in self._readies:
            parts = [_between(each, started + SET_UP, started + WITHIN) for each in whole]
            outcome = trade_signals(
                profile,
                parts,
                self._market,
                start=started + SET_UP,
                end=started + WITHIN,
                equity=Decimal(1000),
            )
            opened += [trade.opened_at for trade in outcome.trades]
        return sorted(each - started for each in opened)


def _between(whole: EntrySignals, start: datetime, end: datetime) -> EntrySignals:
    inside = (whole.at_ms >= start.timestamp() * 1000) & (whole.at_ms < end.timestamp() * 1000)
    columns = {
        timeframe: {name: values[inside] for name, values in columns.items()}
        for timeframe, columns in whole.columns.items()
    }
    numbers = (each[inside] for each in (whole.at_ms, whole.open_ms, whole.timeframe, whole.side))
    at_ms, open_ms, timeframe, side = numbers
    return replace(whole, at_ms=at_ms, open_ms=open_ms, timeframe=timeframe, side=side, columns=columns)


def best_day(open_recorded: Recorded, minute: int, guesses: Sequence[int]) -> int:
    """The first of `guesses` that is good enough, else the one with the soonest position."""
    delays: dict[int, list[timedelta]] = {}
    for day in guesses:
        waits = delays[day] = open_recorded.waits(day, minute)
        if len(waits) > 1 and waits[0] <= SOON:
            return day
    return min(guesses, key=lambda day: (delays[day] or [WITHIN])[0])


def write() -> None:
    open_recorded, days = Recorded(), list(range(DAYS - 1))
    chosen: list[int] = []
    for minute in track(range(1440), description="minutes of the day"):
        chosen.append(best_day(open_recorded, minute, days))
        days.remove(chosen[-1])  # what suits this minute mostly suits the next one
        days.insert(0, chosen[-1])
    letters = "".join(chr(ord("a") + day) for day in chosen)
    LIVELY.write_text("".join(f"{letters[hour * 60 : hour * 60 + 60]}\n" for hour in range(24)))
