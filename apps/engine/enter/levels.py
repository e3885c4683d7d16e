"""The pivots of the last full UTC day, as prices."""

from __future__ import annotations

from decimal import Decimal

from apps.engine.enter.snapshot import Snapshot
from apps.engine.indicators.pivots import PIVOTS
from apps.engine.values.side import Side
from apps.engine.values.timeframe import Timeframe

Levels = dict[str, Decimal]

STRENGTH = (2, 1, 3, 4, 5, 6)
"""Support and resistance levels, strongest first."""


def pivot_levels(snapshot: Snapshot) -> Levels:
    """Name → price of those that are known and positive."""
    found = {name: snapshot.number(Timeframe.D1, name) for name in PIVOTS}
    return {name: price for name, price in found.items() if price is not None and price > 0}


def behind(levels: Levels, price: Decimal, side: Side) -> Levels:
    """Those on the side where a trade from `price` loses, nearest first."""
    return _sorted(levels, price, below=side == Side.LONG)


def ahead(levels: Levels, price: Decimal, side: Side) -> Levels:
    """Those on the side where a trade from `price` wins, nearest first."""
    return _sorted(levels, price, below=side == Side.SHORT)


def for_stop(levels: Levels, entry: Decimal, side: Side, policy: str) -> tuple[str, Decimal] | None:
    """The level a stop is laid behind: `nearest`, `strongest`, or by a long's name (a short mirrors it)."""
    behind_entry = behind(levels, entry, side)
    if policy == "nearest":
        return next(iter(behind_entry.items()), None)
    letter = "s" if side == Side.LONG else "r"
    named = [f"{letter}{k}" for k in STRENGTH] if policy == "strongest" else [_for_side(policy, side)]
    return next(((name, behind_entry[name]) for name in named if name in behind_entry), None)


def _for_side(name: str, side: Side) -> str:
    if side == Side.LONG or name == "pivot":
        return name
    return ("r" if name[0] == "s" else "s") + name[1:]


def _sorted(levels: Levels, price: Decimal, *, below: bool) -> Levels:
    chosen = {name: level for name, level in levels.items() if (level < price if below else level > price)}
    return dict(sorted(chosen.items(), key=lambda item: abs(item[1] - price)))
