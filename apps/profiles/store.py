"""The profiles room's door: what is configured, and every version that was ever used."""

from __future__ import annotations

from django.conf import settings

from apps.engine.profile import Profile
from apps.profiles.files import load_profiles
from apps.profiles.models import ProfileVersion

_versions: dict[str, Profile] = {}


def configured_profiles() -> list[Profile]:
    """The profiles of MTF_PROFILES, in order of precedence. ProfileError with every fault of their files."""
    return load_profiles(settings.MTF_PROFILES_DIR, settings.MTF_PROFILES)


def save_version(profile: Profile) -> None:
    """Keep the profile's content under its digest; a version that is known is left as it is."""
    ProfileVersion.objects.bulk_create(
        [ProfileVersion(digest=profile.digest, name=profile.name, content=profile.content)],
        ignore_conflicts=True,
    )


def find_version(digest: str) -> Profile | None:
    """The profile that has this digest, rebuilt from what was remembered; None when it never ran here.

    It is rebuilt once a process: a digest never means anything else.
    """
    if digest not in _versions:
        found = _rebuilt(digest)
        if found is None:
            return None
        _versions[digest] = found
    return _versions[digest]


def _rebuilt(digest: str) -> Profile | None:
    row = ProfileVersion.objects.filter(digest=digest).first()
    if row is None:
        return None
    content = dict(row.content)
    return Profile.load(content, content.pop("conditions"), f"profile_version {digest[:12]}")
