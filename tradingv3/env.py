"""Reads the environment once, checks it, and names every fault at the same time."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import ClassVar, TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
PLAIN_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?")
GUARDED_PREFIXES = ("MTF_", "BITMART_", "VENUE_", "LIVE_")


class Env:
    """Typed access to variables; faults are collected and raised together by `check`."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._known: set[str] = set()
        self._faults: list[str] = []

    def read(self, name: str, convert: Callable[[str], T], default: T, *, unit: str = "") -> T:
        """The variable converted, or `default` when absent or blank; `NAME_FILE` names a file with it."""
        self._known |= {name, f"{name}_FILE"}
        try:
            text = self._text(name)
            return default if text is None else convert(text)
        except (ValueError, OSError) as fault:
            shown = f" ({unit})" if unit else ""
            self._faults.append(f"{name}{shown}: {fault}")
            return default

    def check(self) -> None:
        """Raise ImproperlyConfigured naming every bad value and every unknown guarded variable."""
        for name in sorted(self._variables):
            if name.startswith(GUARDED_PREFIXES) and name not in self._known:
                near = difflib.get_close_matches(name, self._known, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                self._faults.append(f"{name}: unknown variable{hint}")
        if self._faults:
            raise ImproperlyConfigured("bad environment:\n  " + "\n  ".join(self._faults))

    def fault(self, text: str) -> None:
        self._faults.append(text)

    def _text(self, name: str) -> str | None:
        path = self._variables.get(f"{name}_FILE", "")
        if path:
            return Path(path).read_text(encoding="utf-8").strip() or None
        return self._variables.get(name, "").strip() or None


def load(base_dir: Path) -> Env:
    """The process environment, completed by the embedded servers' file, and that by `.env`."""
    merged: dict[str, str] = {}
    var = Path(os.environ.get("TRADINGV3_VAR") or base_dir / "var")
    for path in (base_dir / ".env", var / "servers.env"):
        if path.is_file():
            merged |= environ_file(path)
    return Env(merged | dict(os.environ))


def environ_file(path: Path) -> dict[str, str]:
    """The variables a file sets, read by django-environ without touching the process environment.

    Raises ImproperlyConfigured when it is not text.
    """

    class Scratch(environ.Env):  # type: ignore[misc]  # it comes without types
        """read_env is a class method: only a class of its own keeps it from writing into os.environ."""

        ENVIRON: ClassVar[dict[str, str]] = {}

    try:
        Scratch.read_env(str(path))
    except UnicodeDecodeError as fault:
        raise ImproperlyConfigured(f"{path}: not UTF-8 text ({fault}): save the file as UTF-8") from None
    return Scratch.ENVIRON


def boolean(text: str) -> bool:
    words = {
        "true": True,
        "1": True,
        "yes": True,
        "on": True,
        "false": False,
        "0": False,
        "no": False,
        "off": False,
    }
    if text.lower() not in words:
        raise ValueError(f"{text!r} is not true or false")
    return words[text.lower()]


def number(low: float, high: float) -> Callable[[str], float]:
    def convert(text: str) -> float:
        value = float(_plain(text))
        if not low <= value <= high:
            raise ValueError(f"{text} is not within {low:g} … {high:g}")
        return value

    return convert


def amount(low: int, high: int) -> Callable[[str], Decimal]:
    """Money."""

    def convert(text: str) -> Decimal:
        value = Decimal(_plain(text))
        if not low <= value <= high:
            raise ValueError(f"{text} is not within {low} … {high}")
        return value

    return convert


def whole(low: int, high: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if "." in _plain(text):
            raise ValueError(f"{text!r} is not a whole number")
        value = int(text)
        if not low <= value <= high:
            raise ValueError(f"{text} is not within {low} … {high}")
        return value

    return convert


def _plain(text: str) -> str:
    """`text` where it can be read in one way only: Python would take 1_0 for 10 and digits of any script."""
    if not PLAIN_NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is no plain number: write digits such as 20 or 0.5, no leading 0, _ or e")
    return text


def choice(options: Sequence[str]) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if text not in options:
            near = difflib.get_close_matches(text, options, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"{text!r} is not one of {', '.join(options)}{hint}")
        return text

    return convert


def url(*schemes: str) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if text.split("://", 1)[0] not in schemes or "://" not in text:
            raise ValueError(
                f"not a URL of {', '.join(f'{s}://' for s in schemes)}"
            )  # the value may hold a password
        return text

    return convert


def names(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise ValueError("is an empty list")
    return parts


def text(value: str) -> str:
    return value
