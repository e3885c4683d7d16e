"""Everything wrong with a profile, said at once: file, path to the key, nearest valid name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

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
    """The faults pydantic found; `keys` are the valid names of a section, by its path; () is the top."""
    for detail in error.errors():
        path = _path(detail["loc"])
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, RuleFaults):
            yield from ((path + within, problem) for within, problem in cause.faults)
        else:
            yield path, _problem(detail, keys)


def _path(places: Sequence[int | str]) -> str:
    text = "".join(f"[{place}]" if isinstance(place, int) else f".{place}" for place in places)
    return text.replace(".[key]", "").removeprefix(".")


def _problem(detail: ErrorDetails, keys: Keys) -> str:
    if detail["type"] == "extra_forbidden":
        section = tuple(str(place) for place in detail["loc"][:-1])
        valid = (
            keys.get(section)
            or keys.get((*section[:-1], EACH))
            or ((*SIDES, *PHASES) if len(section) == 2 else SIDES)
        )
        return f"unknown key{suggestion(str(detail['loc'][-1]), valid)}"
    if detail["type"] == "missing":
        return "missing"
    if detail["type"] == "enum":
        valid = (
            str(detail.get("ctx", {}).get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
        )
        given = str(detail["input"])
        return f"{given[:80]!r} is not one of {', '.join(valid)}{suggestion(given, valid)}"
    if detail["type"] in ("int_type", "int_from_float"):
        return f"{str(detail['input'])[:80]!r} is not a whole number (write plain digits, without quotes)"
    return detail["msg"].removeprefix("Value error, ")


def unused_faults(content: Mapping[str, Any]) -> Iterator[Fault]:
    """Rules that nothing asks for, and timeframes asked for that have none: all written text is effective."""
    used = {phase: _names(content.get(f"{phase}_timeframes")) for phase in PHASES}
    rules = content.get("timeframes")
    for phase, names in used.items():
        for name in names:
            if isinstance(rules, Mapping) and name not in rules:
                yield f"timeframes.{name}", f"no rules, though it is named in {phase}_timeframes"
    for key in ("timeframes", "filters_mandatory"):
        section = content.get(key)
        for name, sides in section.items() if isinstance(section, Mapping) else ():
            phases = [phase for phase in PHASES if name in used[phase]]
            yield from ((f"{key}.{name}{path}", problem) for path, problem in _unused(sides, phases))
    selection = content.get("selection")
    for name in selection if isinstance(selection, Mapping) else ():
        if name not in used["execution"]:
            yield f"selection.{name}", "never asked: the timeframe is not in execution_timeframes"


def _unused(sides: object, phases: Sequence[str]) -> Iterator[Fault]:
    if not phases:
        yield "", "never judged: it is in neither context_timeframes nor execution_timeframes"
    elif isinstance(sides, Mapping):
        for phase in PHASES:
            if phase in sides and phase not in phases:
                yield f".{phase}", f"never judged: the timeframe is not in {phase}_timeframes"
        for side in SIDES:
            if side in sides and all(_has(sides.get(phase), side) for phase in phases):
                yield f".{side}", f"never used: {' and '.join(phases)} have their own {side} rules"


def _has(sides: object, side: str) -> bool:
    return isinstance(sides, Mapping) and sides.get(side) is not None


def _names(value: object) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list | tuple) else []
