"""What a linter of strategies says: where, what, and how bad."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error is a part of the strategy that can do nothing; a warning is one that hardly was meant so."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """`path` is the key in the profile's file; `text` what is wrong, by which numbers, and what to do."""

    severity: Severity
    path: str
    text: str


def error(path: str, text: str) -> Finding:
    return Finding(Severity.ERROR, path, text)


def warning(path: str, text: str) -> Finding:
    return Finding(Severity.WARNING, path, text)
