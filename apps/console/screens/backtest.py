"""A backtest on a terminal: how far it is, then the answer, then where that came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from apps.backtest.formatting import count_of, minute, ratio, signed
from apps.backtest.headline import BacktestResult, answer, figures, warnings
from apps.backtest.outcome import Outcome
from apps.backtest.replay import run_backtest
from apps.backtest.request import BacktestRequest
from apps.backtest.source import find_holes
from apps.engine.values.timeframe import Timeframe

DAY = timedelta(days=1)
SIGNS = {"+": "green", "−": "red"}
NARROW = 70
"""Below so many columns the parts leave out what is not about the result."""


def announce_request(console: Console, request: BacktestRequest) -> None:
    """Say what runs, and where its candles have holes."""
    candles = request.source.range
    for profile in request.profiles:
        console.print(f"profile {escape(profile.name)} {profile.digest}", soft_wrap=True)
    console.print(
        f"{count_of(len(candles.symbols), 'symbol')}, {minute(candles.start)} … {minute(candles.end)} UTC",
        soft_wrap=True,
    )
    for symbol in candles.symbols:
        for hole in find_holes(request.source.windows(symbol, [Timeframe.M1]), candles.start):
            console.print(
                f"{symbol}: {count_of(hole.missing, 'candle')} of {hole.timeframe} missing, "
                f"the first at {minute(hole.first_open_at)} UTC",
                style="yellow",
                soft_wrap=True,
            )


def run_profiles(console: Console, request: BacktestRequest) -> Iterator[Outcome]:
    """Run the profiles one after the other; a bar, on a terminal only, steps with every symbol and day."""
    candles = request.source.range
    steps = len(candles.symbols) + (candles.end - candles.start) / DAY
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        for profile in request.profiles:
            name = escape(profile.name)
            task = progress.add_task(f"{name}: judging", total=steps)

            def step(text: str, task: TaskID = task, name: str = name) -> None:
                progress.update(task, advance=1, description=f"{name}: {text}")

            yield run_backtest(
                request.source,
                profile,
                equity=request.equity,
                pessimistic=request.pessimistic,
                limits=request.limits,
                on_judged=lambda symbol, step=step: step(f"judged {symbol}"),  # type: ignore[misc]
                on_day_traded=lambda at, step=step: step(f"traded {at:%Y-%m-%d}"),  # type: ignore[misc]
            )
            progress.update(task, completed=steps, description=f"{name}: done")


def show(console: Console, results: Sequence[BacktestResult], *, pessimistic: bool) -> None:
    """Print one profile in full, or several side by side."""
    for result in results:
        _show_answer(console, result, ", pessimistic" if pessimistic else "")
    if len(results) > 1:
        console.print(_comparison_table(results))
        console.print("Parts, refusals and trades of each: --html, --json, or one profile at a time.")
        return
    [result] = results
    table = Table(Column(style="bold", no_wrap=True), Column(), show_header=False, box=box.SIMPLE)
    for name, figure in figures(result).items():
        table.add_row(name, _coloured(str(figure)))
    console.print(table)
    if result.outcome.trades:
        console.print(_part_table(result, narrow=console.width < NARROW))
    for title, counts in (
        ("refused at the entry: decisions × minutes", result.outcome.refusals),
        ("verdicts: symbols × minutes", result.outcome.verdicts),
    ):
        if counts:
            table = Table(Column(title, overflow="fold"), Column("count", justify="right"), box=box.SIMPLE)
            for reason, count in sorted(counts.items(), key=lambda pair: -pair[1]):
                table.add_row(str(reason), f"{count:,}")
            console.print(table)


def _show_answer(console: Console, result: BacktestResult, fills: str) -> None:
    outcome, equity = result.outcome, result.statistics.equity
    console.rule(f"{escape(outcome.profile)} {outcome.digest[:12]}")
    console.print(
        f"{minute(outcome.start)} … {minute(outcome.end)} UTC, {count_of(len(outcome.symbols), 'symbol')}, "
        f"{count_of(outcome.candles, 'candle')} of 1m{fills}",
        style="dim",
    )
    colour = "green" if equity.end_usdt > equity.start_usdt else "red"
    if equity.end_usdt == equity.start_usdt:
        colour = "yellow"
    console.print(answer(result), style=f"bold {colour}")
    for warning in warnings(result):
        console.print(f"· {warning}", style="yellow")


def _comparison_table(results: Sequence[BacktestResult]) -> Table:
    heads = ("% result", "% fall", "R mean", "profit f.", "trades", "% won", "Sharpe")
    table = _number_table("profile", heads)
    for result in results:
        statistics, trades = result.statistics, result.statistics.trades
        fall = statistics.equity.max_drawdown
        table.add_row(
            escape(result.outcome.profile),
            _coloured(signed(statistics.equity.return_pct)),
            ratio(fall.pct if fall else 0),
            _coloured(signed(trades.expectancy_r)),
            ratio(trades.profit_factor),
            f"{trades.trades:,}",
            ratio(trades.win_rate_pct),
            ratio(statistics.equity.sharpe),
        )
    return table


def _part_table(result: BacktestResult, *, narrow: bool) -> Table:
    """Return the trades by what divides them; narrow, only what is about the result."""
    heads = ("trades", "% won", "R mean", "net USDT", "profit factor", "fees USDT")
    shown = heads[:4] if narrow else heads
    table = _number_table("by", shown)
    for name, parts in result.statistics.by.items():
        table.add_section()
        table.add_row(f"[dim]{name}[/]")
        for part, trades in parts.items():
            cells = (
                f"{trades.trades:,}",
                ratio(trades.win_rate_pct),
                _coloured(signed(trades.expectancy_r)),
                _coloured(signed(trades.net_usdt)),
                ratio(trades.profit_factor),
                signed(-trades.fees_usdt),
            )
            table.add_row(escape(part), *cells[: len(shown)])
    return table


def _number_table(first: str, heads: Sequence[str]) -> Table:
    columns = [Column(first, no_wrap=True), *(Column(head, justify="right") for head in heads)]
    return Table(*columns, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))


def _coloured(text: str) -> str:
    colour = SIGNS.get(text[:1])
    return f"[{colour}]{text}[/]" if colour else text
