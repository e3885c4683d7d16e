"""What the report's tables show, as text; the template escapes it."""

from __future__ import annotations

from typing import Any

from apps.backtest.outcome import Exit, Outcome, Trade
from apps.backtest.statistics import Statistics
from apps.backtest.wording import lasting, minute, price, ratio, signed

EXITS = {
    Exit.STOP: "stop",
    Exit.TARGET: "target",
    Exit.LIQUIDATION: "liquidation",
    Exit.CLOSED: "closed at market by us",
    Exit.OPEN: "still open at the end",
}


def part_rows(found: Statistics) -> list[dict[str, Any]]:
    """For each grouping its name and its parts' cells."""
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
        for name, parts in found.by.items()
        if parts
    ]


def reason_rows(outcome: Outcome) -> list[tuple[str, list[tuple[str, str]]]]:
    """Refusals and verdicts, each with its counts, the most frequent first."""
    refused = [(str(reason), count) for reason, count in outcome.refusals.items()]
    counted = (
        ("Refused at the entry (decisions × minutes)", refused),
        ("Verdicts (symbols × minutes)", list(outcome.verdicts.items())),
    )
    return [
        (title, [(reason, f"{count:,}") for reason, count in sorted(rows, key=lambda row: -row[1])])
        for title, rows in counted
        if rows
    ]


def trade_row(number: int, trade: Trade) -> dict[str, Any]:
    """One trade's cells, what they sort by, and the facts beside its chart."""
    held = trade.closed_at - trade.opened_at
    return {
        "number": number,
        "symbol": trade.symbol,
        "side": str(trade.side),
        "opened": minute(trade.opened_at),
        "opened_day": f"{trade.opened_at:%Y-%m-%d}",
        "opened_time": f"{trade.opened_at:%H:%M}",
        "opened_s": trade.opened_at.timestamp(),
        "held": lasting(held),
        "held_s": held.total_seconds(),
        "exit": str(trade.exit),
        "r": signed(trade.r_multiple),
        "r_value": trade.r_multiple,
        "net": signed(trade.net),
        "net_value": trade.net,
        "good": trade.net > 0,
        "bad": trade.net < 0,
        "facts": _facts(trade),
    }


def _facts(trade: Trade) -> list[tuple[str, str]]:
    plan = trade.plan
    return [
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
