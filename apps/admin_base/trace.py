"""A stored verdict laid out for people: per timeframe, each side's conditions with what they compared."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

SELECTION = {"stay": "stay if all", "drop": "drop if any", "forbid": "no drop if any"}
"""What leaves without a side decide: whether this timeframe was left for a faster one."""

DIGITS = 7
"""Significant digits, as the snapshots keep them."""


def timeframes(details: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The judged timeframes of an audit row's `details`; empty where it holds no verdict."""
    verdict = details.get("verdict") or {}
    return [judged | {"groups": _groups(judged["leaves"])} for judged in verdict.get("timeframes", [])]


def _groups(leaves: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leaves in their order, together where side and role stay the same."""
    return [
        {
            "title": f"{side} filter" if role == "filter" else side or SELECTION[role],
            "leaves": [_shown(leaf) for leaf in group],
        }
        for (side, role), group in groupby(leaves, key=lambda leaf: (leaf["side"], leaf["role"]))
    ]


def _shown(leaf: Mapping[str, Any]) -> dict[str, Any]:
    return {**leaf, "left": _number(leaf["left"]), "right": _number(leaf["right"])}


def _number(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)
