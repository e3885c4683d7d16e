"""Profile files checked one by one: what loads, what keeps the others from it, and what the linter finds.

`manage.py check` refuses bad profiles, prints every fault at once, and says what the linter finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from apps.engine.profile import Profile, ProfileError
from apps.engine.profile.lint import Severity, lint
from apps.profiles.files import file_label, load_profiles, profile_names


@dataclass(frozen=True)
class Remark:
    """A fault or a finding, with its file; `path` is "" for the file itself."""

    file: str
    path: str
    severity: Severity
    text: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.path, self.text) if part)


@dataclass(frozen=True)
class ProfileCheck:
    """`profiles` loaded; `faults` are lines as of ProfileError; `findings` are of those that loaded."""

    profiles: tuple[Profile, ...]
    faults: tuple[str, ...]
    findings: tuple[Remark, ...]

    @cached_property
    def remarks(self) -> tuple[Remark, ...]:
        """Faults, as errors, then findings."""
        return tuple(_remark(fault) for fault in self.faults) + self.findings


def check_profiles(directory: Path, names: Sequence[str]) -> ProfileCheck:
    """Check every one of `names` by itself: a bad file keeps no other from being looked at."""
    profiles: list[Profile] = []
    faults: list[str] = [] if names else [f"{directory}: no profile is named"]
    for name in names:
        try:
            profiles += load_profiles(directory, [name])
        except ProfileError as error:
            faults += error.faults
    findings = [
        Remark(file_label(directory, profile.name), finding.path, finding.severity, finding.text)
        for profile in profiles
        for finding in lint(profile)
    ]
    return ProfileCheck(tuple(profiles), tuple(dict.fromkeys(faults)), tuple(findings))


@register()
def check_configured_profiles(**_kwargs: Any) -> list[CheckMessage]:
    """Check every profile file of MTF_PROFILES_DIR, and every name in MTF_PROFILES."""
    directory = settings.MTF_PROFILES_DIR
    checked = check_profiles(
        directory, list(dict.fromkeys([*settings.MTF_PROFILES, *profile_names(directory)]))
    )
    faults: list[CheckMessage] = [Error(fault, id="profiles.E001") for fault in checked.faults]
    return faults + [
        Error(str(finding), id="profiles.E002")
        if finding.severity == Severity.ERROR
        else checks.Warning(str(finding), id="profiles.W001")
        for finding in checked.findings
    ]


def _remark(fault: str) -> Remark:
    """A line of "file: path: what is wrong", or of "file: what is wrong"."""
    file, _, rest = fault.partition(": ")
    path, colon, text = rest.partition(": ")
    if not colon or " " in path:
        path, text = "", rest
    return Remark(file, path, Severity.ERROR, text)
