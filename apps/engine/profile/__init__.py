"""Strategy profiles: schema, checks, digest."""

from apps.engine.profile.entry_settings import Anchor, EntrySettings, StopFrom
from apps.engine.profile.faults import ProfileError
from apps.engine.profile.profile import Profile
from apps.engine.profile.schema import Mode, Phase, Selection, TimeframeRules

__all__ = [
    "Anchor",
    "EntrySettings",
    "Mode",
    "Phase",
    "Profile",
    "ProfileError",
    "Selection",
    "StopFrom",
    "TimeframeRules",
]
