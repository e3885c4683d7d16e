"""What a profile's file may name, from the catalogue and from the file itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from apps.engine.profile.entry import Entry
from apps.engine.profile.indicators import read_indicators
from apps.engine.profile.metrics import metrics
from apps.engine.profile.schema import Vocabulary
from apps.engine.rules.condition import UNKNOWN_METRICS, Condition, Fault
from apps.engine.rules.definition import read_definitions, unused
from apps.engine.rules.term import Term

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
        idle = unused(content["definitions"], asked)
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
        return metrics(None)
    try:
        return metrics(Entry.model_validate(entry))
    except ValidationError:
        return UNKNOWN_METRICS
