"""Symbols as people name them."""

from __future__ import annotations

from datetime import datetime

from apps.engine.values.errors import TradingError
from apps.feed.sync import watched_symbols
from apps.insight.explain import refuse_unknown_symbol


class NoSymbols(TradingError):
    """Nothing to look at."""


def named(text: str | None, now: datetime) -> list[str]:
    """Symbols between commas, each once and in their order; without a text every watched one.

    Raises NoSymbols, UnknownSymbol (of MTF_SYMBOLS_TO_WATCH), and CannotExplain for one that is not listed.
    """
    if text is None:
        found = watched_symbols(now)
        if not found:
            raise NoSymbols("no stored contract is watched (manage.py sync_contracts stores them)")
        return found
    names = [name for part in text.split(",") if (name := part.strip())]
    if not names:
        raise NoSymbols(f"{text!r} names no symbol; leave it out for every watched one")
    for name in names:
        refuse_unknown_symbol(name)
    return list(dict.fromkeys(names))
