"""What machines read of a backtest: one JSON object, and a CSV row for each trade.

Decimals are exact text, times ISO 8601 with Z to the millisecond, durations seconds.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.backtest.headline import BacktestResult
from apps.backtest.outcome import Outcome
from apps.backtest.statistics.equity import equity_curve, notional
from apps.engine.values.reason import Reason

PLACES = 12
"""A quotient has no last digit: beyond these decimals it is rounded. What is paid never has so many."""


COLUMNS: Mapping[str, str] = {
    "profile": "name of the strategy",
    "digest": "sha256 of its effective content",
    "symbol": "contract",
    "side": "long or short",
    "execution_timeframe": "timeframe it entered on",
    "decided_at": "when the plan was made",
    "opened_at": "first fill",
    "closed_at": "flat again; the end of the history for exit = open",
    "holding_s": "seconds from opened_at to closed_at",
    "exit": "stop, target, liquidation, closed (at market by us) or open",
    "size_contracts": "filled contracts",
    "leverage": "of the position",
    "notional_usdt": "worth of the filled size at entry_price",
    "risk_usdt": "planned loss of the filled size at the stop, fees and slippage included: 1 R",
    "zone_low": "entry zone",
    "zone_high": "entry zone",
    "plan_price": "limit price of the plan, of the nearest tranche",
    "stop_price": "planned stop",
    "stop_source": "atr, a pivot level, or minimum_distance",
    "target_price": "planned target",
    "target_source": "r_multiple or a pivot level",
    "entry_price": "average price of the fills",
    "exit_price": "average price of the closing fills; the last price for exit = open",
    "best_price": "most favourable last price while held",
    "worst_price": "most adverse last price while held",
    "gross_usdt": "price difference x size",
    "fees_usdt": "paid, positive",
    "funding_usdt": "received, negative when paid",
    "net_usdt": "gross - fees + funding",
    "r_multiple": "net / risk",
    "decision_key": "profile, symbol, timeframe, candle and side: what the audit calls it",
    "client_order_id": "of the entry",
}
"""Every column with its meaning, in the order of the file."""


def summary(results: Sequence[BacktestResult], *, source: str, pessimistic: bool) -> dict[str, Any]:
    """Return the backtest as one JSON object; its keys are stable and carry their units.

    `profiles` in the order given, each with figures, parts, refusals, equity and trades. Null is unknown or
    undefined.
    """
    first = results[0].outcome
    return {
        "source": source,
        "pessimistic": pessimistic,
        "start": to_plain(first.start),
        "end": to_plain(first.end),
        "symbols": list(first.symbols),
        "equity_usdt": to_plain(first.equity),
        "candles_1m": first.candles,
        "profiles": [_profile_summary(result) for result in results],
    }


def _profile_summary(result: BacktestResult) -> dict[str, Any]:
    outcome, statistics = result.outcome, result.statistics
    return {
        "profile": outcome.profile,
        "digest": outcome.digest,
        "equity": _plain_figures(asdict(statistics.equity)),
        "trades": _plain_figures(asdict(statistics.trades)),
        "time_in_market_pct": statistics.time_in_market_pct,
        "mean_exposure_ratio": statistics.mean_exposure_ratio,
        "orders": {
            "sent": statistics.orders,
            "filled": statistics.filled,
            "unfilled": dict(statistics.unfilled),
        },
        "by": {
            name: {part: _plain_figures(asdict(figures)) for part, figures in parts.items()}
            for name, parts in statistics.by.items()
        },
        "refusals": _counts(outcome.refusals),
        "verdicts": _counts(outcome.verdicts),
        "equity_curve": [
            {
                "at": to_plain(point.at),
                "balance_usdt": to_plain(point.balance),
                "equity_usdt": to_plain(point.equity),
            }
            for point in equity_curve(outcome)
        ],
        "trade_list": list(trade_rows(outcome)),
    }


def _plain_figures(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same keys with plain values; durations say their unit."""
    return {
        f"{name}_s" if name.endswith("holding") else name: (
            _plain_figures(value) if isinstance(value, dict) else to_plain(value)
        )
        for name, value in values.items()
    }


def _counts(counts: Mapping[Reason, int] | Mapping[str, int]) -> dict[str, int]:
    return {str(name): count for name, count in sorted(counts.items(), key=lambda pair: -pair[1])}


def trade_rows(outcome: Outcome) -> Iterator[dict[str, str | int]]:
    """Yield one row a trade, in the order of opening; its keys are COLUMNS."""
    for trade in sorted(outcome.trades, key=lambda each: each.opened_at):
        plan = trade.plan
        values: dict[str, object] = {
            "profile": outcome.profile,
            "digest": outcome.digest,
            "symbol": plan.symbol,
            "side": plan.side,
            "execution_timeframe": plan.timeframe,
            "decided_at": plan.created_at,
            "opened_at": trade.opened_at,
            "closed_at": trade.closed_at,
            "holding_s": int((trade.closed_at - trade.opened_at).total_seconds()),
            "exit": trade.exit,
            "size_contracts": trade.size,
            "leverage": plan.leverage,
            "notional_usdt": notional(trade),
            "risk_usdt": plan.risk_of(trade.size),
            "zone_low": plan.zone.low,
            "zone_high": plan.zone.high,
            "plan_price": plan.entry,
            "stop_price": plan.stop,
            "stop_source": plan.stop_source,
            "target_price": plan.target,
            "target_source": plan.target_source,
            "entry_price": trade.entry_price,
            "exit_price": trade.exit_price,
            "best_price": trade.best,
            "worst_price": trade.worst,
            "gross_usdt": trade.gross,
            "fees_usdt": trade.fees,
            "funding_usdt": trade.funding,
            "net_usdt": trade.net,
            "r_multiple": trade.r_multiple,
            "decision_key": plan.decision_key,
            "client_order_id": plan.client_order_id,
        }
        yield {name: to_plain(value) for name, value in values.items()}


def trade_csv(outcomes: Iterable[Outcome]) -> str:
    """Return a heading and the trades of all outcomes."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for outcome in outcomes:
        writer.writerows(trade_rows(outcome))
    return text.getvalue()


def to_plain(value: object) -> Any:
    """Return `value` for JSON and CSV. Raises TypeError for what has no plain form."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Decimal):
        return f"{(round(value, PLACES) + 0).normalize():f}"
    if isinstance(value, datetime):
        fraction = f".{value.microsecond // 1000:03d}" if value.microsecond else ""
        return f"{value:%Y-%m-%dT%H:%M:%S}{fraction}Z"
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"{type(value).__name__} has no plain form")
