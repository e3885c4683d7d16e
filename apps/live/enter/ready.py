"""What runs decided to enter, in the order of precedence."""

from __future__ import annotations

from collections.abc import Sequence

from apps.audit import store as audit
from apps.engine.profile import Profile
from apps.live.models import MtfRun
from apps.profiles import store as profiles


def ready_symbols(runs: Sequence[MtfRun], profiles: Sequence[Profile]) -> dict[str, list[str]]:
    """READY symbol → the runs that found it so, those of the first profiles first; as are the symbols.

    A profile without an `entry` section judges only.
    """
    rank = {profile.digest: place for place, profile in enumerate(profiles) if profile.entry is not None}
    found: dict[str, list[str]] = {}
    for run in sorted((run for run in runs if run.digest in rank), key=lambda run: rank[run.digest]):
        for symbol in audit.ready_symbols(run.run_id):
            found.setdefault(symbol, []).append(str(run.run_id))
    return found


def ready_to_enter(run: MtfRun) -> list[str]:
    """The symbols this decided run was to enter: none for a profile that judges only."""
    if run.result is not None and "entering" in run.result:
        return list(run.result["entering"])
    profile = profiles.find_version(run.digest)
    return [] if profile is None or profile.entry is None else audit.ready_symbols(run.run_id)
