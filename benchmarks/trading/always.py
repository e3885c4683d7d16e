"""A profile that is READY each minute, whatever the recorded market does."""

from __future__ import annotations

from typing import Any

from apps.engine.profile import Profile

ENTRY: dict[str, Any] = {
    "risk_pct": 1.0,
    "margin_pct": 10,
    "r_multiple": 2.0,
    "stop_from": "atr",
    "stop_fallback": "atr",
    "atr_k": 1.5,
    "pivot_sl_policy": "nearest",
    "pivot_sl_buffer_pct": 0.3,
    "tp_buffer_pct": 0.1,
    "tp_min_keep_ratio": 0.95,
    "tp_max_extra_r": 0.5,
    "max_deviation_pct": 5,
    "implausible_pct": 5,
    "zone_max_deviation_pct": 5,
    "zone": {
        "anchor": "sma21",
        "timeframe": "1m",
        "atr_timeframe": "1m",
        "k_atr": 10,
        "w_min": 0.02,
        "w_max": 0.05,
        "ttl_s": 240,
    },
    "order_ttl_s": 120,
    "exchange_cap": 20,
    "spread_guard_bps": 50,
    "stop_slippage_bps": 5,
    "daily_max_loss_pct": 50,
    "max_concurrent_positions": 10,
    "fees": {"maker": 0.0002, "taker": 0.0006},
}
"""Wide everywhere: whatever the recorded market does now, it enters."""


def always(name: str = "always", side: str = "long", entry: Any = ENTRY, **changes: Any) -> dict[str, Any]:
    """A profile's file that is READY on `side` each minute, for every symbol."""

    def sides() -> dict[str, list[str]]:
        return {name: ["close > 0" if name == side else "close < 0"] for name in ("long", "short")}

    content = {
        "name": name,
        "validation_mode": "pragmatic",
        "context_timeframes": ["5m"],
        "execution_timeframes": ["1m"],
        "timeframes": {"5m": sides(), "1m": sides()},
    }
    return content | ({} if entry is None else {"entry": entry}) | changes


def loaded(content: dict[str, Any]) -> Profile:
    return Profile.load(content, {}, "test")
