"""When a candidate for the entry is left for the next faster one: the `selection` section of a profile."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo

from apps.engine.profile.schema import Part, Vocabulary, compiled
from apps.engine.rules.logic import All
from apps.engine.rules.logic import Any as AnyOf
from apps.engine.rules.rule import Rule


def _all(items: Any, info: ValidationInfo) -> Rule:
    return _compiled(items, info, All)


def _any(items: Any, info: ValidationInfo) -> Rule:
    return _compiled(items, info, AnyOf)


def _compiled(items: Any, info: ValidationInfo, join: type[All | AnyOf]) -> Rule:
    if items == []:
        raise ValueError("empty: name a condition or leave it out")
    vocabulary: Vocabulary = info.context or Vocabulary()
    return compiled(items, vocabulary, join)


class Selection(Part):
    """Asked of a candidate at its own timeframe, the metrics included."""

    stay_on_if: Annotated[Rule, BeforeValidator(_all)] | None = None
    drop_to_lower_if_any: Annotated[Rule, BeforeValidator(_any)]
    forbid_drop_to_lower_if_any: Annotated[Rule, BeforeValidator(_any)] | None = None

    def rules(self) -> tuple[tuple[str, Rule], ...]:
        """Every rule present with its role: "stay", "drop", "forbid"."""
        every = (
            ("stay", self.stay_on_if),
            ("drop", self.drop_to_lower_if_any),
            ("forbid", self.forbid_drop_to_lower_if_any),
        )
        return tuple((role, rule) for role, rule in every if rule is not None)

    def content(self) -> dict[str, list[Any]]:
        """Loadable again, in one spelling."""
        keys = {"stay": "stay_on_if", "drop": "drop_to_lower_if_any", "forbid": "forbid_drop_to_lower_if_any"}
        return {keys[role]: list(rule.content) for role, rule in self.rules()}
