"""A linter of strategies: what is lawful in a profile and yet cannot have been meant. Pure, no candles."""

from __future__ import annotations

from apps.engine.profile.lint.agreement import agreement
from apps.engine.profile.lint.finding import Finding, Severity
from apps.engine.profile.lint.indicators import indicators
from apps.engine.profile.lint.sides import sides
from apps.engine.profile.lint.trading import trading
from apps.engine.profile.profile import Profile

__all__ = ["Finding", "Severity", "lint"]


def lint(profile: Profile) -> tuple[Finding, ...]:
    """Every finding about a profile that loaded, errors first, each once."""
    found = [*agreement(profile), *sides(profile), *trading(profile), *indicators(profile)]
    once = list(dict.fromkeys(found))
    return tuple(sorted(once, key=lambda finding: finding.severity != Severity.ERROR))
