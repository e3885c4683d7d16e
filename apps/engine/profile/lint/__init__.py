"""A linter of strategies: what is lawful in a profile and yet cannot have been meant. Pure, no candles."""

from __future__ import annotations

from apps.engine.profile.lint.finding import Finding, Severity
from apps.engine.profile.lint.section import entry_findings, indicator_findings, phase_findings
from apps.engine.profile.lint.side import side_findings
from apps.engine.profile.profile import Profile

__all__ = ["Finding", "Severity", "lint"]


def lint(profile: Profile) -> tuple[Finding, ...]:
    """Every finding about a profile that loaded, errors first, each once."""
    found = [
        *phase_findings(profile),
        *side_findings(profile),
        *entry_findings(profile),
        *indicator_findings(profile),
    ]
    once = list(dict.fromkeys(found))
    return tuple(sorted(once, key=lambda finding: finding.severity != Severity.ERROR))
