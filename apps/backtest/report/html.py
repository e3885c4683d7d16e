"""From outcomes to the page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from apps.backtest.headline import MEANINGS, Figure, Told, answer, figures, warnings
from apps.backtest.report.candles import PastCandles, around, decimals
from apps.backtest.report.distribution import bins
from apps.backtest.report.rows import part_rows, reason_rows, trade_row
from apps.backtest.statistics.equity import equity_curve
from apps.backtest.wording import amount, counted

PAGE = Path(__file__).parent / "page"
SCRIPTS = ("svg.js", "curve.js", "histogram.js", "trade.js", "table.js", "start.js")
TILES = ("result", "max drawdown", "expectancy", "win rate", "profit factor", "Sharpe / Sortino")
"""Figures that stand first and large."""


def page(told: Sequence[Told], candles: PastCandles, *, source: str, pessimistic: bool) -> str:
    """One HTML document with every profile, its styles, scripts and candles."""
    first = told[0].outcome
    context = {
        "outcome": first,
        "equity": amount(first.equity),
        "candles": counted(first.candles, "candle"),
        "symbols": counted(len(first.symbols), "symbol"),
        "source": source,
        "pessimistic": pessimistic,
        "profiles": [_section(number, one) for number, one in enumerate(told)],
        "comparison": _comparison(told),
        "meanings": MEANINGS,
        "style": _own("style.css"),
        "script": mark_safe("\n".join(_own(name) for name in SCRIPTS)),  # noqa: S308 (our own files)
        "data": [_data(one, candles) for one in told],
    }
    return render_to_string("backtest/report.html", context)


def _section(number: int, told: Told) -> dict[str, Any]:
    outcome = told.outcome
    found = figures(told)
    return {
        "number": number,
        "outcome": outcome,
        "statistics": told.statistics,
        "answer": answer(told),
        "tone": {"+": "good", "−": "bad"}.get(found["result"].value[0], ""),
        "warnings": warnings(told),
        "tiles": [(name, found[name]) for name in TILES],
        "figures": [(name, figure) for name, figure in found.items() if name not in TILES],
        "parts": part_rows(told.statistics),
        "reasons": reason_rows(outcome),
        "trades": [trade_row(at, trade) for at, trade in enumerate(outcome.trades)],
    }


def _comparison(told: Sequence[Told]) -> list[tuple[str, list[Figure]]]:
    """Each figure's name with its text for every profile."""
    found = [figures(one) for one in told]
    return [(name, [each[name] for each in found]) for name in found[0]]


def _data(told: Told, candles: PastCandles) -> dict[str, Any]:
    """What the scripts draw: times in seconds since 1970, money and multiples as numbers."""
    outcome = told.outcome
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


@cache
def _own(name: str) -> SafeString:
    return mark_safe((PAGE / name).read_text("utf-8"))  # noqa: S308 (a file of this package)
