"""Patterns of symbols that no symbol can match."""

from __future__ import annotations

import re

SYMBOL = re.compile(r"[A-Z0-9]*\Z")
PLAIN = re.compile(r"\^?(?P<before>[\w/:\-]*)(?:\((?P<choice>[\w/:\-|]*)\))?(?P<after>[\w/:\-]*)\$?\Z")
"""A text, with at most one group of alternatives in it, that may be tied to the start and the end."""


def matches_no_symbol(pattern: str) -> bool:
    """Whether it is sure that `pattern` finds nothing in any text of capital letters and digits.

    Only patterns made of plain characters and one group of alternatives are judged.
    """
    found = PLAIN.match(pattern)
    if found is None:
        return False
    choices = (found["choice"] or "").split("|")
    return not any(SYMBOL.match(f"{found['before']}{choice}{found['after']}") for choice in choices)
