"""Which contracts a profile judges: the `universe` section of its file."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from apps.engine.profile.entry_settings import Number
from apps.engine.profile.schema import Part

MOST = 2_000
"""Contracts of a tier: no venue lists so many."""

Turnover = Annotated[Number, Field(ge=0, le=1_000_000_000_000)]
Count = Annotated[int, Field(strict=True, ge=0, le=MOST)]


class UniverseSettings(Part):
    """Turnovers are of 24 h. A contract is TOP above `top_turnover_usdt`, else MID."""

    min_turnover_usdt: Turnover = Decimal(1_500_000)
    top_turnover_usdt: Turnover = Decimal(8_000_000)
    top_n: Count = 210
    mid_n: Count = 0
    min_listed_h: Annotated[int, Field(strict=True, ge=0, le=100_000)] = 1_000
    min_delist_days: Annotated[int, Field(strict=True, ge=0, le=365)] = 7

    @model_validator(mode="after")
    def check_tiers(self) -> Self:
        if self.top_turnover_usdt < self.min_turnover_usdt:
            raise ValueError(
                f"top_turnover_usdt {self.top_turnover_usdt} is below "
                f"min_turnover_usdt {self.min_turnover_usdt}"
            )
        if self.top_n + self.mid_n == 0:
            raise ValueError("top_n and mid_n are both 0: no contract would ever be judged")
        return self

    def content(self) -> dict[str, Any]:
        """Return the section with its defaults, loadable again; numbers that are equal read equal."""
        return {
            name: float(value) if isinstance(value, Decimal) else value
            for name, value in self.model_dump().items()
        }
