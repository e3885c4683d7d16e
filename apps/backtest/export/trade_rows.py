"""Trades as rows: exact decimals, times in ISO with Z."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

from apps.backtest.export.plain import plain
from apps.backtest.outcome import Outcome, Trade
from apps.backtest.statistics.exposure import notional

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
    "plan_price": "limit price of the plan",
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


def trade_rows(outcome: Outcome) -> Iterator[dict[str, str | int]]:
    """One row a trade, in the order of opening; its keys are COLUMNS."""
    for trade in sorted(outcome.trades, key=lambda each: each.opened_at):
        yield {name: plain(value) for name, value in _values(outcome, trade).items()}


def trade_csv(outcomes: Iterable[Outcome]) -> str:
    """A heading and the trades of all outcomes."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for outcome in outcomes:
        writer.writerows(trade_rows(outcome))
    return text.getvalue()


def _values(outcome: Outcome, trade: Trade) -> dict[str, object]:
    plan = trade.plan
    return {
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
        "risk_usdt": plan.sizing.risk * trade.size / plan.size,
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
