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
        console.print(f"profile {escape(profile.name)} {profile.digest}", soft_wrap=True, highlight=False)
    console.print(
        f"{counted(len(asked.symbols), 'symbol')}, {minute(asked.start)} … {minute(asked.end)} UTC",
        soft_wrap=True,
        highlight=False,
    )
    for symbol in asked.symbols:
        for hole in holes(wish.source.stretch(symbol, [Timeframe.M1]), asked.start):
            console.print(
                f"{symbol}: {counted(hole.missing, 'candle')} of {hole.timeframe} missing, "
                f"the first at {minute(hole.first_open_at)} UTC",
                style="yellow",
                soft_wrap=True,
                highlight=False,
            )


def outcomes(console: Console, wish: Wish, *, pessimistic: bool) -> Iterator[Outcome]:
    """The outcome of each profile. The bars are drawn on a terminal only."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        asked = wish.source.asked
        for profile in wish.profiles:
            symbols = len(asked.symbols)
            task = progress.add_task(f"{escape(profile.name)}: judging", total=symbols + _days(wish))

            def judged(symbol: str, task: int = task, name: str = escape(profile.name)) -> None:
                progress.update(task, advance=1, description=f"{name}: judged {symbol}")

            def traded(at: datetime, task: int = task, name: str = escape(profile.name)) -> None:
                progress.update(task, advance=1, description=f"{name}: traded {at:%Y-%m-%d}")

            yield replayed(
                wish.source,
                profile,
                equity=wish.equity,
                pessimistic=pessimistic,
                judged=judged,
                traded=traded,
            )
            progress.update(task, completed=symbols + _days(wish))


def _days(wish: Wish) -> float:
    return (wish.source.asked.end - wish.source.asked.start) / DAY
