"""What an entry here would be like, as terms over the frames: the metrics of a profile's selection."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from apps.engine.frame import Floats
from apps.engine.profile.entry import MIN_STOP_RATIO, Anchor, Entry, ZoneRule
from apps.engine.rules.term import Apply, Column, Given, Number, Term


def metrics(entry: Entry | None) -> Mapping[str, Term]:
    """The terms of METRICS; without `entry` only what needs none."""
    given: dict[str, Term] = {"spread_bps": Given("spread_bps")}
    if entry is None:
        return given
    return given | {
        "entry_zone_width_pct": _zone_width(entry.zone),
        "expected_r_multiple": _expected_r(entry),
    }


def _zone_width(zone: ZoneRule) -> Term:
    other = Anchor.SMA21 if zone.anchor == Anchor.VWAP else Anchor.VWAP
    anchors = (Column(str(name), 0, zone.timeframe) for name in (zone.anchor, other))
    atr = Column("atr", 0, zone.atr_timeframe)
    return Apply(_zone_width_pct, (*anchors, atr, *_numbers(zone.k_atr, zone.w_min, zone.w_max)))


def _zone_width_pct(
    anchor: Floats, other: Floats, atr: Floats, k_atr: Floats, w_min: Floats, w_max: Floats
) -> Floats:
    """From edge to edge in percent of the anchor, as `enter.entry_price` has it; NaN without a zone."""
    around = np.where(anchor > 0, anchor, other)
    half_ratio = np.clip(k_atr * atr / around, w_min, w_max)
    return np.where((around > 0) & (atr > 0), 200 * half_ratio, np.nan)


def _expected_r(entry: Entry) -> Term:
    numbers = _numbers(entry.r_multiple, entry.atr_k, MIN_STOP_RATIO, 2 * entry.fees.taker)
    return Apply(_expected_r_net, (Column("close"), Column("atr"), *numbers))


def _expected_r_net(
    close: Floats, atr: Floats, r_multiple: Floats, atr_k: Floats, min_stop: Floats, fees: Floats
) -> Floats:
    """(reward - fees) / (risk + fees) for a stop atr_k × ATR away, at least `min_stop` of the price."""
    stop = np.maximum(atr_k * atr / close, min_stop)
    return np.where(atr > 0, (r_multiple * stop - fees) / (stop + fees), np.nan)


def _numbers(*values: Decimal) -> tuple[Number, ...]:
    return tuple(Number(float(value)) for value in values)
