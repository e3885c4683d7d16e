"""BitMart's four order sides: 1 buy to open a long, 2 buy to close a short, 3 sell to close a long, 4 sell to
open a short. In one-way mode 1 and 4 are plain, 2 and 3 reduce-only: for our orders the same table."""

from __future__ import annotations

from apps.engine.values.side import Side
from apps.exchange.bitmart import fields
from apps.exchange.bitmart.fields import ParseError, Row

_NUMBERS = {(Side.LONG, True): 1, (Side.SHORT, False): 2, (Side.LONG, False): 3, (Side.SHORT, True): 4}
_MEANINGS = {number: meaning for meaning, number in _NUMBERS.items()}
_BUYS = (1, 2)


def number(side: Side, *, opens: bool) -> int:
    """`side` is the position's."""
    return _NUMBERS[side, opens]


def meaning(row: Row) -> tuple[Side, bool]:
    """The position's side, and whether the order opens it."""
    return _MEANINGS[_read(row)]


def protected(row: Row) -> Side:
    """The side of the position that a protective order closes: what buys closes a short."""
    return Side.SHORT if _read(row) in _BUYS else Side.LONG


def _read(row: Row) -> int:
    found = fields.whole(row, "side")
    if found not in _MEANINGS:
        raise ParseError("side", row["side"])
    return found
