"""Files checked one by one: what loads, what keeps the others from it, and what the linter finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from apps.engine.profile import Profile, ProfileError
from apps.engine.profile.lint import Severity, lint
from apps.profiles.files import file_label, load_profiles


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
    """Every one of `names` for itself: a bad file keeps no other from being looked at."""
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


def _remark(fault: str) -> Remark:
    """A line of "file: path: what is wrong", or of "file: what is wrong"."""
    file, _, rest = fault.partition(": ")
    path, colon, text = rest.partition(": ")
    if not colon or " " in path:
        path, text = "", rest
    return Remark(file, path, Severity.ERROR, text)
