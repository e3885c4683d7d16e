"""An extra indicator as a profile declares it: a kind with every parameter, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from apps.engine.indicators.kinds import KINDS, Kind

LONGEST = 200
"""Candles a parameter may span: beyond it a window of 990 no longer gives what the whole past gives."""

LARGEST = 1000.0
VALUE = "value"
"""How a formula may call the column of an indicator that has only one."""


@dataclass(frozen=True)
class Extra:
    """`params` holds every parameter of `kind`, in the kind's order. Equal extras are one column set."""

    kind: str
    params: tuple[tuple[str, int | float], ...]

    @property
    def name(self) -> str:
        """What its columns are known by in a frame, whatever a profile calls it."""
        return f"{self.kind}({', '.join(f'{name}={value!r}' for name, value in self.params)})"

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its frame columns: "supertrend(length=10, multiplier=3.0).supert", …"""
        return tuple(f"{self.name}.{column}" for column in KINDS[self.kind].columns)

    def column(self, written: str) -> str | None:
        """The frame column that a formula writes as `written`; None when there is none."""
        columns = KINDS[self.kind].columns
        plain = columns[0] if written == VALUE and len(columns) == 1 else written
        return f"{self.name}.{plain}" if plain in columns else None

    def written(self) -> tuple[str, ...]:
        """What a formula may write after the dot."""
        columns = KINDS[self.kind].columns
        return (*columns, VALUE) if len(columns) == 1 else columns

    def content(self) -> dict[str, str | int | float]:
        """Loadable again, defaults written out."""
        return {"kind": self.kind, **dict(self.params)}


def declare(kind: str, params: Mapping[str, int | float]) -> Extra:
    """The extra of a known `kind` with `params` over its defaults, all of which have been checked."""
    defaults = KINDS[kind].params
    chosen = {**defaults, **params}
    return Extra(kind, tuple((name, type(defaults[name])(chosen[name])) for name in defaults))


def bounds(kind: Kind, name: str) -> tuple[float, float]:
    """The least and the largest value of a whole parameter; what any other lies between."""
    default = kind.params[name]
    if isinstance(default, int):
        return min(2, default), LONGEST
    return 0, 1 if default < 1 else LARGEST


def misfit(kind: Kind, name: str, value: object) -> str | None:
    """What is wrong with `value` as the parameter `name`; None when it fits."""
    least, largest = bounds(kind, name)
    if isinstance(kind.params[name], int):
        fits = type(value) is int and least <= value <= largest
        return None if fits else f"{str(value)[:80]!r} is not a whole number {least:g}…{largest:g}"
    inside = type(value) in (int, float) and least < value < largest  # type: ignore[operator]  # a number by its type
    return None if inside else f"{str(value)[:80]!r} is not a number between {least:g} and {largest:g}"


def extras_among(columns: Iterable[str]) -> tuple[Extra, ...]:
    """The extras that frame columns so named belong to, each once, by name."""
    names = {column.rpartition(").")[0] for column in columns if is_extra(column)}
    return tuple(_named(name) for name in sorted(names))


def is_extra(column: str) -> bool:
    """Whether a frame column of this name is an extra's, and not one that every frame has."""
    return ")." in column


def _named(name: str) -> Extra:
    """The extra whose name, without its closing bracket, is `name`."""
    kind, _, listed = name.partition("(")
    pairs = [pair.partition("=") for pair in listed.split(", ") if pair]
    return declare(kind, {key: float(value) for key, _, value in pairs})
