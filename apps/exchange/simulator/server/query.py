"""Reading a request's parameters: each refused with the exchange's own code."""

from __future__ import annotations

from collections.abc import Mapping

from apps.exchange.simulator.codes import Code, Refused
from apps.exchange.simulator.market.archive import Archive

STEPS_MIN = (1, 3, 5, 15, 30, 60, 120, 240, 360, 720, 1440, 4320, 10080)
LATEST_S = 100_000_000_000
"""Beyond this a number is milliseconds, sent to a route that wants seconds."""

Query = Mapping[str, str]


def symbol(query: Query, archive: Archive) -> str:
    named = query.get("symbol", "")
    if named not in archive.symbols:
        raise Refused(Code.BAD_SYMBOL)
    return named


def symbols(query: Query, archive: Archive) -> tuple[str, ...]:
    """The one named, or all without a name."""
    return (symbol(query, archive),) if "symbol" in query else archive.symbols


def count(query: Query, *, default: int, most: int) -> int:
    wanted = query.get("limit", str(default))
    if not wanted.isdecimal() or not 1 <= int(wanted) <= most:
        raise Refused(Code.BAD_PARAMETER)
    return int(wanted)


def step_s(query: Query) -> int:
    """The candle length in seconds; the parameter is minutes, 1 when absent."""
    wanted = query.get("step", "1")
    if not wanted.isdecimal() or int(wanted) not in STEPS_MIN:
        raise Refused(Code.BAD_STEP)
    return int(wanted) * 60


def span_s(query: Query) -> tuple[int, int]:
    """(start_time, end_time) in seconds, both included."""
    start, end = query.get("start_time", ""), query.get("end_time", "")
    if not (start.isdecimal() and end.isdecimal()) or not int(start) <= int(end) < LATEST_S:
        raise Refused(Code.BAD_TIME)
    return int(start), int(end)
