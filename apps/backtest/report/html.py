"""The HTML report of a backtest: what its tables show as text, what its scripts draw as numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from math import floor
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from apps.backtest.formatting import amount, count_of, duration, minute, price, ratio, signed
from apps.backtest.headline import MEANINGS, BacktestResult, Figure, answer, figures, warnings
from apps.backtest.outcome import Exit, Outcome, Trade
from apps.backtest.report.trade_candles import PastCandles, around, decimals
from apps.backtest.statistics import Statistics
from apps.backtest.statistics.equity import equity_curve

PAGE = Path(__file__).parent / "page"
SCRIPTS = ("svg.js", "curve.js", "histogram.js", "trade.js", "table.js", "start.js")
TILES = ("result", "max drawdown", "expectancy", "win rate", "profit factor", "Sharpe / Sortino")
"""Figures that stand first and large."""
EXITS = {
    Exit.STOP: "stop",
    Exit.TARGET: "target",
    Exit.LIQUIDATION: "liquidation",
    Exit.CLOSED: "closed at market by us",
    Exit.OPEN: "still open at the end",
}
WIDTHS = tuple(Decimal(width) for width in ("0.1", "0.25", "0.5", "1", "2", "5", "10", "50", "100", "1000"))
MOST_BINS = 40
"""Bins a histogram still shows apart."""


def page(results: Sequence[BacktestResult], candles: PastCandles, *, source: str, pessimistic: bool) -> str:
    """Return one HTML document with every profile, its styles, scripts and candles."""
    first = results[0].outcome
    figures_of = [figures(result) for result in results]
    sections = [
        {
            "number": number,
            "outcome": result.outcome,
            "statistics": result.statistics,
            "answer": answer(result),
            "tone": {"+": "good", "−": "bad"}.get(shown["result"].value[0], ""),
            "warnings": warnings(result),
            "tiles": [(name, shown[name]) for name in TILES],
            "figures": [(name, figure) for name, figure in shown.items() if name not in TILES],
            "parts": part_rows(result.statistics),
            "reasons": reason_rows(result.outcome),
            "trades": [trade_row(at, trade) for at, trade in enumerate(result.outcome.trades)],
        }
        for number, (result, shown) in enumerate(zip(results, figures_of, strict=True))
    ]
    comparison: list[tuple[str, list[Figure]]] = [
        (name, [shown[name] for shown in figures_of]) for name in figures_of[0]
    ]
    context = {
        "outcome": first,
        "equity": amount(first.equity),
        "candles": count_of(first.candles, "candle"),
        "symbols": count_of(len(first.symbols), "symbol"),
        "source": source,
        "pessimistic": pessimistic,
        "profiles": sections,
        "comparison": comparison,
        "meanings": MEANINGS,
        "style": _asset("style.css"),
        "script": mark_safe("\n".join(_asset(name) for name in SCRIPTS)),  # noqa: S308 (our own files)
        "data": [_chart_data(result, candles) for result in results],
    }
    return render_to_string("backtest/report.html", context)


def _chart_data(result: BacktestResult, candles: PastCandles) -> dict[str, Any]:
    """Return what the scripts draw: times in seconds since 1970, money and multiples as numbers."""
    outcome = result.outcome
    return {
        "curve": [
            [round(point.at.timestamp()), round(float(point.equity), 4)] for point in equity_curve(outcome)
        ],
        "bins": [
            [float(low), float(high), count]
            for low, high, count in bins([each.r_multiple for each in outcome.trades])
        ],
        "trades": [
            {
                "decimals": decimals(trade.plan.entry, trade.plan.stop, trade.plan.target),
                "candles": around(trade, candles, since=outcome.start, until=outcome.end),
                "long": trade.side == "long",
                "won": trade.net > 0,
                "decided_s": trade.plan.created_at.timestamp(),
                "opened_s": trade.opened_at.timestamp(),
                "closed_s": trade.closed_at.timestamp(),
                "zone_until_s": trade.plan.zone.expires_at.timestamp(),
                "zone": [float(trade.plan.zone.low), float(trade.plan.zone.high)],
                "plan": float(trade.plan.entry),
                "stop": float(trade.plan.stop),
                "target": float(trade.plan.target),
                "entry": float(trade.entry_price),
                "exit": float(trade.exit_price),
            }
            for trade in outcome.trades
        ],
    }


def part_rows(statistics: Statistics) -> list[dict[str, Any]]:
    """Return for each grouping its name and its parts' cells."""
    return [
        {
            "name": name,
            "rows": [
                {
                    "part": part,
                    "trades": f"{figures.trades:,}",
                    "won": ratio(figures.win_rate_pct),
                    "expectancy": signed(figures.expectancy_r),
                    "net": signed(figures.net_usdt),
                    "profit_factor": ratio(figures.profit_factor),
                    "fees": signed(-figures.fees_usdt),
                    "good": figures.net_usdt > 0,
                    "bad": figures.net_usdt < 0,
                }
                for part, figures in parts.items()
            ],
        }
        for name, parts in statistics.by.items()
        if parts
    ]


def reason_rows(outcome: Outcome) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return refusals and verdicts, each with its counts, the most frequent first."""
    refused = [(str(reason), count) for reason, count in outcome.refusals.items()]
    tables = (
        ("Refused at the entry (decisions × minutes)", refused),
        ("Verdicts (symbols × minutes)", list(outcome.verdicts.items())),
    )
    return [
        (title, [(reason, f"{count:,}") for reason, count in sorted(rows, key=lambda row: -row[1])])
        for title, rows in tables
        if rows
    ]


def trade_row(number: int, trade: Trade) -> dict[str, Any]:
    """Return one trade's cells, what they sort by, and the facts beside its chart."""
    plan, held = trade.plan, trade.closed_at - trade.opened_at
    facts = [
        ("decided", f"{plan.created_at:%Y-%m-%d %H:%M:%S} UTC on {plan.timeframe}"),
        ("zone", f"{price(plan.zone.low)} … {price(plan.zone.high)} around {plan.zone.anchor_name}"),
        ("limit", price(plan.entry)),
        ("stop", f"{price(plan.stop)} ({plan.stop_source})"),
        ("target", f"{price(plan.target)} ({plan.target_source})"),
        ("filled", f"{price(trade.entry_price)} at {trade.opened_at:%H:%M:%S}"),
        ("exit", f"{price(trade.exit_price)} at {trade.closed_at:%m-%d %H:%M:%S}: {EXITS[trade.exit]}"),
        ("size", f"{price(trade.size)} contracts at {plan.leverage}×"),
        ("best, worst", f"{price(trade.best)}, {price(trade.worst)}"),
        ("gross", f"{signed(trade.gross)} USDT"),
        ("fees, funding", f"{signed(-trade.fees)}, {signed(trade.funding)} USDT"),
        ("decision", plan.decision_key),
    ]
    return {
        "number": number,
        "symbol": trade.symbol,
        "side": str(trade.side),
        "opened": minute(trade.opened_at),
        "opened_day": f"{trade.opened_at:%Y-%m-%d}",
        "opened_time": f"{trade.opened_at:%H:%M}",
        "opened_s": trade.opened_at.timestamp(),
        "held": duration(held),
        "held_s": held.total_seconds(),
        "exit": str(trade.exit),
        "r": signed(trade.r_multiple),
        "r_value": trade.r_multiple,
        "net": signed(trade.net),
        "net_value": trade.net,
        "good": trade.net > 0,
        "bad": trade.net < 0,
        "facts": facts,
    }


def bins(multiples: Sequence[Decimal]) -> list[tuple[Decimal, Decimal, int]]:
    """Return every bin from the lowest to the highest multiple as (from, up to but without, how many)."""
    if not multiples:
        return []
    span = max(multiples) - min(multiples)
    width = next((width for width in WIDTHS if span / width < MOST_BINS), span / MOST_BINS)
    counts = Counter(floor(each / width) for each in multiples)
    return [
        (number * width, (number + 1) * width, counts[number])
        for number in range(min(counts), max(counts) + 1)
    ]


@cache
def _asset(name: str) -> SafeString:
    return mark_safe((PAGE / name).read_text("utf-8"))  # noqa: S308 (a file of this package)
