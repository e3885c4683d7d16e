"""The universe of a profile for people and machines: its members, and why every other contract is none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from pydantic_core import to_jsonable_python

from apps.engine.profile import Profile
from apps.engine.universe import Universe, exclusion_text
from apps.engine.values.errors import TradingError, suggestion
from apps.feed.universe import profile_universes
from apps.profiles import files
from apps.profiles import store as profiles


class UnknownProfile(TradingError):
    """No profile file has this name; not retryable."""


def named_universes(profile: str | None, now: datetime) -> list[tuple[Profile, Universe]]:
    """Return the universe of the profile of that name, or without one of each in MTF_PROFILES.

    Raises UnknownProfile, ProfileError, and UnknownSymbol of MTF_SYMBOLS_TO_WATCH.
    """
    names = files.profile_names(settings.MTF_PROFILES_DIR)
    if profile is not None and profile not in names:
        near = suggestion(profile, names)
        raise UnknownProfile(f"unknown profile {profile!r}: there are {', '.join(names)}{near}")
    chosen = (
        profiles.configured_profiles()
        if profile is None
        else files.load_profiles(settings.MTF_PROFILES_DIR, [profile])
    )
    universes = profile_universes(chosen, now)
    return [(each, universes[each.name]) for each in chosen]


def to_json(universes: Sequence[tuple[Profile, Universe]]) -> list[dict[str, Any]]:
    """Return each profile's universe as JSON holds it; money and numbers of an exclusion as exact text."""
    return [
        {
            "profile": profile.name,
            "settings": profile.universe.content(),
            "contracts": universe.contracts,
            "members": list(universe.members),
            "excluded": [
                {
                    "symbol": symbol,
                    "reason": refusal.reason.value,
                    "text": exclusion_text(refusal),
                    "numbers": to_jsonable_python(dict(refusal.numbers)),
                }
                for symbol, refusal in universe.excluded.items()
            ],
        }
        for profile, universe in universes
    ]
