"""Strategy profiles: schema, checks, digest."""

from apps.engine.profile.entry import Anchor, Entry, StopFrom
from apps.engine.profile.faults import ProfileError
from apps.engine.profile.judged import Judged
from apps.engine.profile.profile import Profile
from apps.engine.profile.schema import Mode, Phase
from apps.engine.profile.selection import Selection

__all__ = ["Anchor", "Entry", "Judged", "Mode", "Phase", "Profile", "ProfileError", "Selection", "StopFrom"]
