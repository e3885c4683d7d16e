"""Profiles: what is configured, and every version that was ever used."""

from __future__ import annotations

from django.conf import settings

from apps.engine.profile import Profile
from apps.profiles.files import load_profiles
from apps.profiles.models import ProfileVersion

_versions: dict[str, Profile] = {}


def configured_profiles() -> list[Profile]:
    """Return the profiles of MTF_PROFILES, in order of precedence. ProfileError with all their faults."""
    return load_profiles(settings.MTF_PROFILES_DIR, settings.MTF_PROFILES)


def save_version(profile: Profile) -> None:
    """Store the profile's content under its digest; a version that is known is left as it is."""
    ProfileVersion.objects.bulk_create(
        [ProfileVersion(digest=profile.digest, name=profile.name, content=profile.content)],
        ignore_conflicts=True,
    )


def find_version(digest: str) -> Profile | None:
    """Return the profile that has this digest, rebuilt from its stored content; None when it never ran here.

    It is rebuilt once a process: a digest never means anything else.
    """
    if digest not in _versions:
        row = ProfileVersion.objects.filter(digest=digest).first()
        if row is None:
            return None
        content = dict(row.content)
        conditions = content.pop("conditions")
        _versions[digest] = Profile.load(content, conditions, f"profile_version {digest[:12]}")
    return _versions[digest]
