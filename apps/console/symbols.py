"""Symbols as people name them."""

from __future__ import annotations

from datetime import datetime

from django.core.management.base import CommandError

from apps.engine.values.contract import require_listed
from apps.feed.sync import watched_symbols
from apps.market import store as market


def named(text: str | None, now: datetime) -> list[str]:
    """Symbols between commas, each once and in their order; without a text every watched one.

    Raises UnknownSymbol (also of MTF_SYMBOLS_TO_WATCH), and CommandError when there is nothing to look at.
    """
    if text is None:
        found = watched_symbols(now)
        if not found:
            raise CommandError("no stored contract is watched (manage.py sync_contracts stores them)")
        return found
    names = [name for part in text.split(",") if (name := part.strip())]
    if not names:
        raise CommandError(f"{text!r} names no symbol; leave it out for every watched one")
    require_listed(names, [contract.symbol for contract in market.contracts()])
    return list(dict.fromkeys(names))
