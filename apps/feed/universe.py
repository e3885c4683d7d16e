"""The contracts of the venue, brought into the market room, and those that are watched."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from apps.engine.ports.market import CandleHistory
from apps.engine.profile import Profile
from apps.engine.universe import Universe, exclusion_text, explicit_universe, universe
from apps.market import blacklist, store
from apps.orders import store as orders
from apps.profiles import store as profile_store
from apps.switches import queue

MEMBER = "member"


def sync_contracts(history: CandleHistory, now: datetime) -> int:
    """Fetch and store every contract; return how many there are."""
    contracts = history.contracts()
    store.save_contracts(contracts, now)
    return len(contracts)


def profile_universes(profiles: Sequence[Profile], now: datetime) -> dict[str, Universe]:
    """Return each profile's universe by its name, of the stored contracts.

    The symbols of MTF_SYMBOLS_TO_WATCH are every profile's, whatever the filters say; UnknownSymbol names
    those that are not stored.
    """
    contracts = store.contract_values()
    if settings.MTF_SYMBOLS_TO_WATCH:
        explicit = explicit_universe(contracts, settings.MTF_SYMBOLS_TO_WATCH)
        return {profile.name: explicit for profile in profiles}
    blacklisted = blacklist.standing(now)
    return {profile.name: universe(contracts, profile.universe, blacklisted, now) for profile in profiles}


def watched_symbols(profiles: Sequence[Profile], now: datetime) -> list[str]:
    """Return the symbols that any of `profiles` judges by itself, by name. Raises UnknownSymbol."""
    universes = profile_universes(profiles, now).values()
    return sorted({symbol for each in universes for symbol in each.members})


def streamed_symbols(profiles: Sequence[Profile], account: str, now: datetime) -> list[str]:
    """Return the symbols whose candles are kept: the watched, the marked, and what the books still hold.

    A contract that is delisted or left the universe is judged no more; its candles are stored to the end.
    """
    marked = (mark.symbol for mark in queue.waiting_marks(account, now))
    return sorted({*watched_symbols(profiles, now), *marked, *orders.active_symbols(account)})


def memberships(symbol: str, now: datetime) -> dict[str, str]:
    """Return, for each configured profile, that `symbol` is in its universe or why it is not."""
    universes = profile_universes(profile_store.configured_profiles(), now)
    return {
        name: f"{refusal.reason}: {exclusion_text(refusal)}"
        if (refusal := each.excluded.get(symbol))
        else MEMBER
        for name, each in universes.items()
    }
