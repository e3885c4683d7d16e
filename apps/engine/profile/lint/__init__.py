"""A linter of strategies: what is valid in a profile and yet cannot have been meant. Pure, no candles."""

from __future__ import annotations

from apps.engine.profile.lint import section
from apps.engine.profile.lint.finding import Finding, Severity
from apps.engine.profile.lint.side import side_findings
from apps.engine.profile.profile import Profile

__all__ = ["Finding", "Severity", "lint"]

CHECKS = (
    section.timeframe_findings,
    section.agreement_findings,
    section.grace_findings,
    side_findings,
    section.stop_findings,
    section.target_findings,
    section.stop_moving_findings,
    section.leverage_findings,
    section.lifetime_findings,
    section.pattern_findings,
    section.indicator_findings,
)


def lint(profile: Profile) -> tuple[Finding, ...]:
    """Return every finding about a profile that loaded, errors first, each once."""
    findings = dict.fromkeys(finding for check in CHECKS for finding in check(profile))
    return tuple(sorted(findings, key=lambda finding: finding.severity != Severity.ERROR))
