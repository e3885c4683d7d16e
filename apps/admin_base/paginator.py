"""Pages of tables too big to count: the planner's estimate stands in for COUNT(*)."""

from __future__ import annotations

import json
from typing import Any

from django.core.paginator import Page, PageNotAnInteger, Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

EXACT_BELOW = 2_000
"""Results the planner takes for fewer than this are looked at and counted exactly, by their keys."""


class EstimatedPaginator(Paginator):  # type: ignore[type-arg]  # Django's classes are generic in the stubs only
    """A page past the estimate opens as long as it has rows: the estimate never hides one."""

    object_list: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        estimate = planned_rows(self.object_list)
        if estimate > EXACT_BELOW:
            return estimate
        found = len(self.object_list.order_by().values_list("pk")[: EXACT_BELOW + 1])
        return found if found <= EXACT_BELOW else max(found, estimate)

    def validate_number(self, number: Any) -> int:
        try:
            return max(1, int(number))
        except (TypeError, ValueError) as fault:
            raise PageNotAnInteger(f"{number!r} is not a page number") from fault

    def page(self, number: Any) -> Page[Any]:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        return Page(self.object_list[first : first + self.per_page], number, self)


def planned_rows(queryset: QuerySet[Any]) -> int:
    """How many rows PostgreSQL expects of `queryset`."""
    plan = json.loads(queryset.order_by().explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])
