"""What the items of a profile may name: conditions, definitions, extra indicators and entry metrics."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from pydantic import ValidationError

from apps.engine.frame import Floats
from apps.engine.profile.entry_settings import MIN_STOP_RATIO, Anchor, EntrySettings, ZoneSettings
from apps.engine.profile.schema import Vocabulary, read_indicators
from apps.engine.rules.condition import UNKNOWN_METRICS, Condition, Fault
from apps.engine.rules.definition import read_definitions, unused_definitions
from apps.engine.rules.term import Apply, Column, Number, OptionalColumn, Term


def entry_metrics(entry: EntrySettings | None) -> Mapping[str, Term]:
    """The terms of METRICS; without `entry` only what needs none."""
    given: dict[str, Term] = {"spread_bps": OptionalColumn("spread_bps")}
    if entry is None:
        return given
    return given | {
        "entry_zone_width_pct": _zone_width(entry.zone),
        "expected_r_multiple": _expected_r(entry),
    }


def _zone_width(zone: ZoneSettings) -> Term:
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


def _expected_r(entry: EntrySettings) -> Term:
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


RULES = ("timeframes", "filters_mandatory", "selection")
"""The sections whose items may name definitions."""


def read_vocabulary(
    content: Mapping[str, Any], catalogue: Mapping[str, Condition]
) -> tuple[Vocabulary, list[Fault]]:
    """The vocabulary of a profile's content, and every fault of its definitions by path."""
    found = metrics_of(content.get("entry"))
    extras, _ = read_indicators(content.get("indicators", {}))  # its faults are told where it is validated
    if "definitions" not in content:
        return Vocabulary(catalogue, {}, found, extras), []
    definitions, faults = read_definitions(content["definitions"], catalogue, extras)
    if definitions:
        asked = [items for section in RULES for items in _lists(content.get(section))]
        idle = unused_definitions(content["definitions"], asked)
        faults += [(f".{name}", "never used: no rule, filter or selection names it") for name in idle]
    return Vocabulary(catalogue, definitions, found, extras), [
        (f"definitions{path}", text) for path, text in faults
    ]


def _lists(section: object) -> list[Any]:
    """The lists of items in a section, under whatever keys."""
    found, left = [], [section]
    while left:
        part = left.pop()
        if isinstance(part, Mapping):
            left += part.values()
        elif isinstance(part, list | tuple):
            found.append(part)
    return found


def metrics_of(entry: object) -> Mapping[str, Term]:
    """The metrics of an `entry` section; stand-ins for one whose own faults are told elsewhere."""
    if entry is None:
        return entry_metrics(None)
    try:
        return entry_metrics(EntrySettings.model_validate(entry))
    except ValidationError:
        return UNKNOWN_METRICS
