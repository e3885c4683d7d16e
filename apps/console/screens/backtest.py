"""What a backtest found, on a terminal: the answer first, then where it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from apps.backtest.headline import Told, answer, figures, warnings
from apps.backtest.statistics import TradeFigures
from apps.backtest.wording import counted, minute, ratio, signed
from apps.engine.values.reason import Reason

SIGNS = {"+": "green", "−": "red"}
NARROW = 70
"""Below so many columns the parts leave out what is not about the result."""


def show(console: Console, told: Sequence[Told], *, pessimistic: bool) -> None:
    """One profile in full, or several side by side."""
    for one in told:
        _show_answer(console, one, ", pessimistic" if pessimistic else "")
    if len(told) > 1:
        console.print(_comparison(told))
        console.print("Parts, refusals and trades of each: --html, --json, or one profile at a time.")
        return
    console.print(_figures(told[0]))
    _show_parts(console, told[0])


def _show_answer(console: Console, told: Told, fills: str) -> None:
    outcome = told.outcome
    console.rule(f"{escape(outcome.profile)} {outcome.digest[:12]}")
    console.print(
        f"{minute(outcome.start)} … {minute(outcome.end)} UTC, {counted(len(outcome.symbols), 'symbol')}, "
        f"{counted(outcome.candles, 'candle')} of 1m{fills}",
        style="dim",
    )
    console.print(answer(told), style=f"bold {_tone(told)}")
    for warning in warnings(told):
        console.print(f"· {warning}", style="yellow")


def _comparison(told: Sequence[Told]) -> Table:
    table = _numbers("profile", ("% result", "% fall", "R mean", "profit f.", "trades", "% won", "Sharpe"))
    for one in told:
        found, trades = one.statistics, one.statistics.trades
        fall = found.equity.max_drawdown
        table.add_row(
            escape(one.outcome.profile),
            _coloured(signed(found.equity.return_pct)),
            ratio(fall.pct if fall else 0),
            _coloured(signed(trades.expectancy_r)),
            ratio(trades.profit_factor),
            f"{trades.trades:,}",
            ratio(trades.win_rate_pct),
            ratio(found.equity.sharpe),
        )
    return table


def _figures(told: Told) -> Table:
    table = Table(Column(style="bold", no_wrap=True), Column(), show_header=False, box=box.SIMPLE)
    for name, figure in figures(told).items():
        table.add_row(name, _coloured(str(figure)))
    return table


def _show_parts(console: Console, told: Told) -> None:
    if told.outcome.trades:
        console.print(_parts(told, narrow=console.width < NARROW))
    for title, counts in (
        ("refused at the entry: decisions × minutes", told.outcome.refusals),
        ("verdicts: symbols × minutes", told.outcome.verdicts),
    ):
        if counts:
            console.print(_counts(title, counts))


def _parts(told: Told, *, narrow: bool) -> Table:
    heads = ("trades", "% won", "R mean", "net USDT", "profit factor", "fees USDT")
    shown = heads[:4] if narrow else heads
    table = _numbers("by", shown)
    for name, parts in told.statistics.by.items():
        table.add_section()
        table.add_row(f"[dim]{name}[/]")
        for part, found in parts.items():
            table.add_row(escape(part), *_part(found)[: len(shown)])
    return table


def _part(found: TradeFigures) -> tuple[str, ...]:
    return (
        f"{found.trades:,}",
        ratio(found.win_rate_pct),
        _coloured(signed(found.expectancy_r)),
        _coloured(signed(found.net_usdt)),
        ratio(found.profit_factor),
        signed(-found.fees_usdt),
    )


def _numbers(first: str, heads: Sequence[str]) -> Table:
    columns = [Column(first, no_wrap=True), *(Column(head, justify="right") for head in heads)]
    return Table(*columns, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))


def _counts(title: str, counts: Mapping[Reason, int] | Mapping[str, int]) -> Table:
    table = Table(Column(title, overflow="fold"), Column("count", justify="right"), box=box.SIMPLE)
    for reason, count in sorted(counts.items(), key=lambda pair: -pair[1]):
        table.add_row(str(reason), f"{count:,}")
    return table


def _tone(told: Told) -> str:
    equity = told.statistics.equity
    if equity.end_usdt == equity.start_usdt:
        return "yellow"
    return "green" if equity.end_usdt > equity.start_usdt else "red"


def _coloured(text: str) -> str:
    colour = SIGNS.get(text[:1])
    return f"[{colour}]{text}[/]" if colour else text
