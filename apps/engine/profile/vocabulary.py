"""What the items of a profile may name: conditions, definitions, extra indicators and entry metrics."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from pydantic import ValidationError

from apps.engine.frame import Floats
from apps.engine.profile.entry_settings import MIN_STOP_RATIO, Anchor, EntrySettings
from apps.engine.profile.schema import Vocabulary, read_indicators
from apps.engine.rules.condition import UNKNOWN_METRICS, Condition, Fault
from apps.engine.rules.definition import read_definitions, unused_definitions
from apps.engine.rules.term import Apply, Column, Number, OptionalColumn, Term

RULE_SECTIONS = ("timeframes", "filters_mandatory", "selection")
"""The sections whose items may name definitions."""


def read_vocabulary(
    content: Mapping[str, Any], catalogue: Mapping[str, Condition]
) -> tuple[Vocabulary, list[Fault]]:
    """Return the vocabulary of a profile's content, and every fault of its definitions by path."""
    try:
        section = content.get("entry")
        metrics = entry_metrics(None if section is None else EntrySettings.model_validate(section))
    except ValidationError:
        metrics = UNKNOWN_METRICS  # the faults of the section are reported where it is validated
    extras, _ = read_indicators(content.get("indicators", {}))  # and so are those of the indicators
    if "definitions" not in content:
        return Vocabulary(catalogue, {}, metrics, extras), []
    definitions, faults = read_definitions(content["definitions"], catalogue, extras)
    if definitions:
        lists: list[Any] = []
        parts: list[Any] = [content.get(name) for name in RULE_SECTIONS]
        while parts:  # the lists of items in a section, under whatever keys
            part = parts.pop()
            if isinstance(part, Mapping):
                parts += part.values()
            elif isinstance(part, list | tuple):
                lists.append(part)
        unused = unused_definitions(content["definitions"], lists)
        faults += [(f".{name}", "never used: no rule, filter or selection names it") for name in unused]
    return Vocabulary(catalogue, definitions, metrics, extras), [
        (f"definitions{path}", text) for path, text in faults
    ]


def entry_metrics(entry: EntrySettings | None) -> Mapping[str, Term]:
    """Return the terms of METRICS, what an entry here would be like; without `entry` only what needs none."""
    spread: dict[str, Term] = {"spread_bps": OptionalColumn("spread_bps")}
    if entry is None:
        return spread
    zone = entry.zone
    other = Anchor.SMA21 if zone.anchor == Anchor.VWAP else Anchor.VWAP
    anchors = (Column(str(anchor), 0, zone.timeframe) for anchor in (zone.anchor, other))
    zone_terms: tuple[Term, ...] = (
        *anchors,
        Column("atr", 0, zone.atr_timeframe),
        *_numbers(zone.k_atr, zone.w_min, zone.w_max),
    )
    r_numbers = _numbers(entry.r_multiple, entry.atr_k, MIN_STOP_RATIO, 2 * entry.fees.taker)
    return spread | {
        "entry_zone_width_pct": Apply(zone_width_pct, zone_terms),
        "expected_r_multiple": Apply(expected_r_net, (Column("close"), Column("atr"), *r_numbers)),
    }


def zone_width_pct(
    anchor: Floats, other: Floats, atr: Floats, k_atr: Floats, w_min: Floats, w_max: Floats
) -> Floats:
    """Return the zone's width in percent of the anchor, as an entry lays it; NaN where there is no zone."""
    around = np.where(anchor > 0, anchor, other)
    half_ratio = np.clip(k_atr * atr / around, w_min, w_max)
    return np.where((around > 0) & (atr > 0), 200 * half_ratio, np.nan)


def expected_r_net(
    close: Floats, atr: Floats, r_multiple: Floats, atr_k: Floats, min_stop: Floats, fees: Floats
) -> Floats:
    """Return (reward - fees) / (risk + fees) of a stop atr_k × ATR away, at least `min_stop` of price."""
    stop = np.maximum(atr_k * atr / close, min_stop)
    return np.where(atr > 0, (r_multiple * stop - fees) / (stop + fees), np.nan)


def _numbers(*values: Decimal) -> tuple[Number, ...]:
    return tuple(Number(float(value)) for value in values)
