"""The names of the public channels: futures/<channel>:<SYMBOL>, some with @100ms or @200ms."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

STEPS_MIN = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1H": 60, "2H": 120, "4H": 240, "1D": 1440, "1W": 10080}
PRIVATE = re.compile(r"futures/(asset:\w+|position|order)")

_PUBLIC = re.compile(
    r"futures/(?:"
    r"(?P<kline>klineBin|markPriceKlineBin)(?P<step>1m|5m|15m|30m|1H|2H|4H|1D|1W)"
    r"|(?P<depth>depth|depthAll|depthIncrease)(?P<levels>5|20|50)"
    r"|(?P<plain>ticker|trade|bookticker|fundingRate)"
    r"):(?P<symbol>[A-Z0-9]+)(?P<speed>@100ms|@200ms)?"
)


@dataclass(frozen=True, slots=True)
class Topic:
    """`name` as it was asked for. `symbol` is empty for the legacy ticker of all symbols."""

    name: str
    channel: str
    symbol: str
    step_s: int = 0
    levels: int = 0


def parse(name: str, symbols: Container[str]) -> Topic | None:
    """The topic of that name, or None when there is no such channel or symbol."""
    if name == "futures/ticker":
        return Topic(name, "ticker", "")
    found = _PUBLIC.fullmatch(name)
    if found is None or found["symbol"] not in symbols or (found["speed"] and not found["depth"]):
        return None
    if found["kline"]:
        return Topic(name, found["kline"], found["symbol"], step_s=STEPS_MIN[found["step"]] * 60)
    if found["depth"]:
        return Topic(name, found["depth"], found["symbol"], levels=int(found["levels"]))
    return Topic(name, found["plain"], found["symbol"])
