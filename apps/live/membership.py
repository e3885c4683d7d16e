"""Who is judged by whom: each profile's universe, and the symbols marked to be judged once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from apps.engine.profile import Profile
from apps.engine.universe import Universe
from apps.exchange import venue
from apps.feed.universe import profile_universes
from apps.switches import queue
from apps.switches.models import SymbolQueue


@dataclass(frozen=True)
class Membership:
    """`universes` by profile name; `marks` wait to be judged, each by its profile."""

    universes: Mapping[str, Universe] = field(default_factory=dict)
    marks: Sequence[SymbolQueue] = ()

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol that any profile judges, by name."""
        return tuple(sorted({symbol for name in self.universes for symbol in self.members(name)}))

    def members(self, profile: str) -> tuple[str, ...]:
        """Return whom the profile judges now, by name."""
        marked = {mark.symbol for mark in self.marks_of(profile)}
        return tuple(sorted(marked.union(self.universes[profile].members)))

    def marks_of(self, profile: str) -> list[SymbolQueue]:
        return [mark for mark in self.marks if mark.profile == profile]

    def counts(self, profile: str) -> dict[str, Any]:
        """Return what a run says of its universe: how many `contracts` there are, how many belong to it."""
        of_profile = self.universes[profile]
        return {"universe": len(of_profile.members), "contracts": of_profile.contracts}

    def with_marks(self, now: datetime) -> Membership:
        """Return the same universes with the marks that wait at `now`."""
        return replace(self, marks=queue.waiting_marks(venue.account(), now))


def read_membership(profiles: Sequence[Profile], now: datetime) -> Membership:
    """Return whom each of `profiles` judges, by what is stored; marks whose time is over end here."""
    queue.expire_marks(venue.account(), now)
    return Membership(profile_universes(profiles, now)).with_marks(now)
