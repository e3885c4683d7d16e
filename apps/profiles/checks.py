"""`manage.py check` refuses bad profiles, prints every fault at once, and says what the linter finds."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from apps.engine.profile.lint import Severity
from apps.profiles.files import profile_names
from apps.profiles.linting import check_profiles


@register()
def check_configured_profiles(**_kwargs: Any) -> list[CheckMessage]:
    """Every profile file of MTF_PROFILES_DIR, and every name in MTF_PROFILES."""
    directory = settings.MTF_PROFILES_DIR
    checked = check_profiles(
        directory, list(dict.fromkeys([*settings.MTF_PROFILES, *profile_names(directory)]))
    )
    faults: list[CheckMessage] = [Error(fault, id="profiles.E001") for fault in checked.faults]
    return faults + [
        Error(str(one), id="profiles.E002")
        if one.severity == Severity.ERROR
        else checks.Warning(str(one), id="profiles.W001")
        for one in checked.findings
    ]
