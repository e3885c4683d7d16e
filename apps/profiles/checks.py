"""`manage.py check` refuses bad profiles and prints every fault at once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from apps.engine.profile import ProfileError
from apps.profiles.files import available, load_all


@register()
def profiles_are_good(**_kwargs: Any) -> list[CheckMessage]:
    """Every profile file of MTF_PROFILES_DIR, and every name in MTF_PROFILES."""
    directory = settings.MTF_PROFILES_DIR
    names = list(dict.fromkeys([*settings.MTF_PROFILES, *available(directory)]))
    try:
        load_all(directory, names)
    except ProfileError as error:
        return [Error(fault, id="profiles.E001") for fault in error.faults]
    return []
