"""Runs the profiles one after the other and says how far they are, on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from apps.backtest.desk import replayed
from apps.backtest.outcome import Outcome
from apps.backtest.source import holes
from apps.backtest.wish import Wish
from apps.backtest.wording import counted, minute
from apps.engine.values.timeframe import Timeframe

DAY = timedelta(days=1)


def announced(console: Console, wish: Wish) -> None:
    """Say what runs, and where its candles have holes."""
    asked = wish.source.asked
    for profile in wish.profiles:
        console.print(f"profile {escape(profile.name)} {profile.digest}", soft_wrap=True)
    console.print(
        f"{counted(len(asked.symbols), 'symbol')}, {minute(asked.start)} … {minute(asked.end)} UTC",
        soft_wrap=True,
    )
    for symbol in asked.symbols:
        for hole in holes(wish.source.stretch(symbol, [Timeframe.M1]), asked.start):
            console.print(
                f"{symbol}: {counted(hole.missing, 'candle')} of {hole.timeframe} missing, "
                f"the first at {minute(hole.first_open_at)} UTC",
                style="yellow",
                soft_wrap=True,
            )


def outcomes(console: Console, wish: Wish) -> Iterator[Outcome]:
    """The outcome of each profile. The bars are drawn on a terminal only."""
    asked = wish.source.asked
    steps = len(asked.symbols) + (asked.end - asked.start) / DAY
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        for profile in wish.profiles:
            bar = _Bar(progress, escape(profile.name), steps)
            yield replayed(
                wish.source,
                profile,
                equity=wish.equity,
                pessimistic=wish.pessimistic,
                limits=wish.limits,
                judged=bar.judged,
                traded=bar.traded,
            )
            bar.full()


class _Bar:
    """One profile's: a step for every symbol judged and every day traded."""

    def __init__(self, progress: Progress, name: str, steps: float) -> None:
        self._progress, self._name, self._steps = progress, name, steps
        self._task = progress.add_task(f"{name}: judging", total=steps)

    def judged(self, symbol: str) -> None:
        self._step(f"judged {symbol}")

    def traded(self, at: datetime) -> None:
        self._step(f"traded {at:%Y-%m-%d}")

    def full(self) -> None:
        self._progress.update(self._task, completed=self._steps, description=f"{self._name}: done")

    def _step(self, told: str) -> None:
        self._progress.update(self._task, advance=1, description=f"{self._name}: {told}")
