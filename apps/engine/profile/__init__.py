"""Strategy profiles: schema, checks, digest."""

from apps.engine.profile.entry import Anchor, Entry, StopFrom
from apps.engine.profile.faults import ProfileError
from apps.engine.profile.profile import Profile
from apps.engine.profile.schema import Judged, Mode, Phase

__all__ = ["Anchor", "Entry", "Judged", "Mode", "Phase", "Profile", "ProfileError", "StopFrom"]
