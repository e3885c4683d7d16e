"""Everything wrong with a profile, said at once: file, path to the key, nearest valid name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from apps.engine.rules.condition import Fault
from apps.engine.values.errors import TradingError, suggestion

PHASES = ("context", "execution")
SIDES = ("long", "short")


class ProfileError(TradingError):
    """`faults` are lines of "file: path: what is wrong"."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class RuleFaults(ValueError):
    """The faults of one list of items, by path within it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{path}: {problem}" for path, problem in faults))
        self.faults = tuple(faults)


EACH = "*"
Keys = Mapping[tuple[str, ...], Sequence[str]]
"""The valid names of a section, by its path; EACH stands for any key."""


def schema_faults(error: ValidationError, keys: Keys) -> Iterator[Fault]:
    """Yield the faults pydantic reports; `keys` are the valid names of sections by path, () the top."""
    for detail in error.errors():
        places = "".join(f"[{place}]" if isinstance(place, int) else f".{place}" for place in detail["loc"])
        path = places.replace(".[key]", "").removeprefix(".")
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, RuleFaults):
            yield from ((path + within, problem) for within, problem in cause.faults)
        elif detail["type"] == "extra_forbidden":
            section = tuple(str(place) for place in detail["loc"][:-1])
            of_sides = (*SIDES, *PHASES) if len(section) == 2 else SIDES
            valid = keys.get(section) or keys.get((*section[:-1], EACH)) or of_sides
            yield path, f"unknown key{suggestion(str(detail['loc'][-1]), valid)}"
        elif detail["type"] == "missing":
            yield path, "missing"
        elif detail["type"] == "enum":
            expected = str(detail.get("ctx", {}).get("expected", ""))  # "'strict' or 'pragmatic'"
            valid = expected.replace("'", "").replace(" or ", ", ").split(", ")
            value = str(detail["input"])
            yield path, f"{value[:80]!r} is not one of {', '.join(valid)}{suggestion(value, valid)}"
        elif detail["type"] in ("int_type", "int_from_float"):
            value = str(detail["input"])
            yield path, f"{value[:80]!r} is not a whole number (write plain digits, without quotes)"
        else:
            yield path, detail["msg"].removeprefix("Value error, ")


def unused_faults(content: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield rules that nothing asks for, and timeframes without any: all that is written has an effect."""
    used: dict[str, list[str]] = {}
    for phase in PHASES:
        names = content.get(f"{phase}_timeframes")
        names = names if isinstance(names, list | tuple) else []
        used[phase] = [name for name in names if isinstance(name, str)]

    rules = content.get("timeframes")
    for phase, names in used.items():
        for name in names:
            if isinstance(rules, Mapping) and name not in rules:
                yield f"timeframes.{name}", f"no rules, though it is named in {phase}_timeframes"

    for key in ("timeframes", "filters_mandatory"):
        section = content.get(key)
        for name, sides in section.items() if isinstance(section, Mapping) else ():
            phases = [phase for phase in PHASES if name in used[phase]]
            yield from ((f"{key}.{name}{path}", problem) for path, problem in _unused_sides(sides, phases))

    selection = content.get("selection")
    for name in selection if isinstance(selection, Mapping) else ():
        if name not in used["execution"]:
            yield f"selection.{name}", "never asked: the timeframe is not in execution_timeframes"


def _unused_sides(sides: object, phases: Sequence[str]) -> Iterator[Fault]:
    """Yield what of a timeframe's `sides` is not used, the timeframe being judged in `phases`."""
    if not phases:
        yield "", "never judged: it is in neither context_timeframes nor execution_timeframes"
    elif isinstance(sides, Mapping):
        for phase in PHASES:
            if phase in sides and phase not in phases:
                yield f".{phase}", f"never judged: the timeframe is not in {phase}_timeframes"
        special = [part if isinstance(part := sides.get(phase), Mapping) else {} for phase in phases]
        for side in SIDES:
            if side in sides and all(part.get(side) is not None for part in special):
                yield f".{side}", f"never used: {' and '.join(phases)} have their own {side} rules"
