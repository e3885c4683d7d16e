"""Strategy profiles: schema, checks, digest."""

from apps.engine.profile.faults import ProfileError
from apps.engine.profile.profile import Profile
from apps.engine.profile.schema import Judged, Mode, Phase

__all__ = ["Judged", "Mode", "Phase", "Profile", "ProfileError"]
