"""The `indicators` section of a profile: extra indicators by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import PlainValidator

from apps.engine.indicators.declared import Extra, declare, misfit
from apps.engine.indicators.kinds import KINDS
from apps.engine.profile.faults import RuleFaults
from apps.engine.rules.condition import NAME, RESERVED, Fault
from apps.engine.values.errors import suggestion

MAX_INDICATORS = 20
"""Each costs a Python computation a symbol and timeframe, every candle."""


def read_indicators(content: object) -> tuple[dict[str, Extra], list[Fault]]:
    """The extra indicators of a section's content, and every fault by path. A faulty one is left out."""
    if not isinstance(content, Mapping):
        return {}, [("", "indicators is a mapping of names to {kind, …}; leave it out when there are none")]
    if len(content) > MAX_INDICATORS:
        return {}, [("", f"{len(content)} indicators; at most {MAX_INDICATORS}")]
    extras: dict[str, Extra] = {}
    faults: list[Fault] = []
    for name, entry in content.items():
        found = _faults(name, entry)
        faults += [(f".{str(name)[:80]}{path}", problem) for path, problem in found]
        if not found:
            params = {key: value for key, value in entry.items() if key != "kind"}
            extras[name] = declare(entry["kind"], params)
    return extras, faults


def _faults(name: object, entry: object) -> list[Fault]:
    if not isinstance(name, str) or not NAME.match(name) or name in RESERVED:
        return [("", "an indicator's name is letters, digits and _, and no column or function")]
    if not isinstance(entry, Mapping) or "kind" not in entry:
        return [("", "an indicator is a mapping with a kind, as {kind: supertrend, length: 10}")]
    chosen = entry["kind"]
    kind = KINDS.get(chosen) if isinstance(chosen, str) else None
    if kind is None:
        return [(".kind", f"unknown kind {str(chosen)[:80]!r}{suggestion(str(chosen), KINDS)}")]
    faults = []
    for key, value in entry.items():
        if key == "kind":
            continue
        if key not in kind.params:
            listed = ", ".join(kind.params) or "no parameters"
            known = f"{suggestion(str(key), kind.params)}; {chosen} takes {listed}"
            faults.append((f".{str(key)[:80]}", f"unknown parameter{known}"))
        elif problem := misfit(kind, key, value):
            faults.append((f".{key}", problem))
    return faults


def _read(content: Any) -> dict[str, Extra]:
    extras, faults = read_indicators(content)
    if faults:
        raise RuleFaults(faults)
    return extras


Indicators = Annotated[dict[str, Extra], PlainValidator(_read)]
