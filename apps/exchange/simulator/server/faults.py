"""The fault switches: what can be made to go wrong, set from outside while the server runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from apps.exchange.simulator.codes import REFUSALS

MAX_LATENCY_MS = 60_000
MAX_SKEW_MS = 86_400_000
MAX_COUNT = 1_000_000
MAX_HOLD_S = 3600
MAX_LAG_S = 3600
LISTS = (
    "/contract/private/get-open-orders",
    "/contract/private/order-history",
    "/contract/private/current-plan-order",
    "/contract/private/position-v2",
    "/contract/private/trades",
    "/contract/private/transaction-history",
)
"""The GET routes whose answers may lag, be empty or hold garbled rows."""
GARBLED = re.compile(rf"({'|'.join(LISTS)}) (\*|[A-Z0-9]+) [a-z_]+")
"""What `garble_rows` names: the list, the symbol or * for all, the field."""
PRESETS_ARMED = ("first_fill", "complete", "never")


class BadFault(ValueError):
    """An unknown switch or a value out of its bounds; nothing was switched."""


@dataclass(slots=True)
class Faults:
    """Every switch with its healthy value."""

    latency_ms: int = 0
    """Every answer waits so long."""
    answer_429: int = 0
    """The next n answers are 429, code 30013."""
    answer_418: int = 0
    """The next n answers are 418, code 30017."""
    answer_503: int = 0
    """The next n answers are 503 with an HTML page."""
    route_latency_ms: dict[str, int] = field(default_factory=dict)
    """Answers of these routes wait so long before anything is done."""
    hold_answer_s: dict[str, int] = field(default_factory=dict)
    """Answers of these routes are held after execution, so long or until the route is taken out of here."""
    drop_answers: dict[str, int] = field(default_factory=dict)
    """The next n answers of these routes never come, though the request was carried out."""
    reject: dict[str, int] = field(default_factory=dict)
    """Private routes that refuse every request with this code."""
    lag_lists_s: dict[str, int] = field(default_factory=dict)
    """These lists answer as they were so many seconds ago, at most back to when the first began to lag."""
    empty_lists: dict[str, int] = field(default_factory=dict)
    """The next n answers of these lists are empty, whatever there is."""
    garble_rows: dict[str, str | float | None] = field(default_factory=dict)
    """Fields of rows that are sent with this value: "LIST SYMBOL field", or "LIST * field" for all rows."""
    fill_after_cancel: int = 0
    """The next n cancels of a resting limit succeed, though the market has filled its rest just before."""
    refuse_stops: bool = False
    """Stop losses of a position are neither taken nor changed (40012)."""
    preset_on_partial: str = "first_fill"
    """When a stop and target attached to an order are armed: first_fill, complete, never."""
    fill_at_most: int = 0
    """An order gets at most so many contracts at a tick; 0 is no bound."""
    user_drop: bool = False
    """Every private WebSocket is closed once, now; the switch falls back by itself."""
    user_silence: bool = False
    """Private WebSockets stay open and say nothing more."""
    user_duplicate: bool = False
    """Every private push comes twice."""
    user_reorder: bool = False
    """Every private batch of pushes comes after the one that should follow it."""
    ws_drop: bool = False
    """Every public WebSocket is closed once, now; the switch falls back by itself."""
    ws_silence: bool = False
    """WebSockets stay open and say nothing more."""
    ws_duplicate: bool = False
    """Every push comes twice."""
    ws_reorder: bool = False
    """Every push comes after the one that should follow it."""
    final_push: bool = True
    """The push at a candle's open carries the final candle before it as well."""
    missing_candles: list[str] = field(default_factory=list)
    """Candles of 1m that nobody gets: SYMBOL@unix_s of the open, or *@unix_s for all symbols."""
    kline_ts_offset_s: int = 0
    """0 or 1 second added to the open times of klines, as the exchange did until 2024."""
    clock_skew_ms: int = 0
    """The server's clock, market included, is ahead by so much."""
    limits: bool = True
    """The request limits are enforced."""

    def switch(self, wanted: Mapping[str, Any]) -> None:
        """Set all of `wanted` or nothing. Raises BadFault naming the switch."""
        for name, value in wanted.items():
            _check_fault(name, value)
        for name, value in wanted.items():
            setattr(self, name, value)

    def take(self, name: str) -> bool:
        """Use up one of a counted fault: True when there was one left."""
        left = getattr(self, name)
        if not left:
            return False
        setattr(self, name, left - 1)
        return True

    def take_of(self, name: str, route: str) -> bool:
        """The same for a fault that is counted for each route."""
        left = getattr(self, name)
        if not left.get(route):
            return False
        setattr(self, name, left | {route: left[route] - 1})
        return True

    def misses(self, symbol: str, open_s: int, step_s: int) -> bool:
        """Whether this candle is one of those nobody gets."""
        return step_s == 60 and any(f"{who}@{open_s}" in self.missing_candles for who in (symbol, "*"))


_HIGHEST = {
    "latency_ms": MAX_LATENCY_MS,
    "answer_429": MAX_COUNT,
    "answer_418": MAX_COUNT,
    "answer_503": MAX_COUNT,
    "kline_ts_offset_s": 1,
    "clock_skew_ms": MAX_SKEW_MS,
    "fill_at_most": MAX_COUNT,
    "route_latency_ms": MAX_LATENCY_MS,
    "hold_answer_s": MAX_HOLD_S,
    "drop_answers": MAX_COUNT,
    "reject": 99_999,
    "lag_lists_s": MAX_LAG_S,
    "empty_lists": MAX_COUNT,
    "fill_after_cancel": MAX_COUNT,
}


def _check_fault(name: str, value: object) -> None:
    types = {each.name: each.type for each in fields(Faults)}
    if name not in types:
        raise BadFault(f"unknown fault {name!r}; there are: {', '.join(types)}")
    if types[name] == "bool" and not isinstance(value, bool):
        raise BadFault(f"{name} must be true or false, not {value!r}")
    if types[name] == "int":
        lowest = -MAX_SKEW_MS if name == "clock_skew_ms" else 0
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= _HIGHEST[name]:
            raise BadFault(f"{name} must be a whole number from {lowest} to {_HIGHEST[name]}, not {value!r}")
    if types[name] == "dict[str, int]":
        _check_routes(name, value)
    if name == "garble_rows" and not (
        isinstance(value, dict)
        and all(GARBLED.fullmatch(rows) and not isinstance(sent, dict | list) for rows, sent in value.items())
    ):
        raise BadFault(
            f"{name} must be an object of 'LIST SYMBOL field' and texts, numbers or null, not {value!r}; "
            f"SYMBOL * is all; the lists: {', '.join(LISTS)}"
        )
    if name == "preset_on_partial" and value not in PRESETS_ARMED:
        raise BadFault(f"{name} must be one of {', '.join(PRESETS_ARMED)}, not {value!r}")
    if name == "missing_candles" and not (
        isinstance(value, list)
        and all(isinstance(candle, str) and candle.partition("@")[2].isdigit() for candle in value)
    ):
        raise BadFault(f"{name} must be a list of SYMBOL@unix_s, not {value!r}")


def _check_routes(name: str, value: object) -> None:
    if not (
        isinstance(value, dict)
        and all(
            isinstance(route, str)
            and route.startswith("/")
            and isinstance(number, int)
            and not isinstance(number, bool)
            and 0 <= number <= _HIGHEST[name]
            and (name != "reject" or number in REFUSALS)
            for route, number in value.items()
        )
    ):
        raise BadFault(f"{name} must be an object of routes and whole numbers, not {value!r}")
    if name in ("lag_lists_s", "empty_lists") and not set(value) <= set(LISTS):
        raise BadFault(f"{name} is only for {', '.join(LISTS)}; not {value!r}")
