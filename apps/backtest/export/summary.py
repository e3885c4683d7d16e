"""A backtest as one JSON object. Keys are stable and carry their units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from apps.backtest.export.plain import plain
from apps.backtest.export.trade_rows import trade_rows
from apps.backtest.headline import Told
from apps.backtest.statistics import TradeFigures
from apps.backtest.statistics.equity import equity_curve
from apps.engine.values.reason import Reason


def summary(told: Sequence[Told], *, source: str, pessimistic: bool) -> dict[str, Any]:
    """`profiles` in the order given, each with figures, parts, refusals, equity and trades.

    Decimals are text; null is unknown or undefined.
    """
    first = told[0].outcome
    return {
        "source": source,
        "pessimistic": pessimistic,
        "start": plain(first.start),
        "end": plain(first.end),
        "symbols": list(first.symbols),
        "equity_usdt": plain(first.equity),
        "candles_1m": first.candles,
        "profiles": [_profile(one) for one in told],
    }


def _profile(told: Told) -> dict[str, Any]:
    outcome, found = told.outcome, told.statistics
    return {
        "profile": outcome.profile,
        "digest": outcome.digest,
        "equity": _plain(asdict(found.equity)),
        "trades": _figures(found.trades),
        "time_in_market_pct": found.time_in_market_pct,
        "mean_exposure_ratio": found.mean_exposure_ratio,
        "orders": {"sent": found.orders, "filled": found.filled, "unfilled": dict(found.unfilled)},
        "by": {
            name: {part: _figures(figures) for part, figures in parts.items()}
            for name, parts in found.by.items()
        },
        "refusals": _counts(outcome.refusals),
        "verdicts": _counts(outcome.verdicts),
        "equity_curve": [
            {"at": plain(point.at), "balance_usdt": plain(point.balance), "equity_usdt": plain(point.equity)}
            for point in equity_curve(outcome)
        ],
        "trade_list": list(trade_rows(outcome)),
    }


def _figures(found: TradeFigures) -> dict[str, Any]:
    return _plain(asdict(found))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same keys; durations say their unit."""
    return {
        f"{name}_s" if name.endswith("holding") else name: (
            _plain(value) if isinstance(value, dict) else plain(value)
        )
        for name, value in values.items()
    }


def _counts(counts: Mapping[Reason, int] | Mapping[str, int]) -> dict[str, int]:
    return {str(name): count for name, count in sorted(counts.items(), key=lambda pair: -pair[1])}
