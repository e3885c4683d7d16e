"""How stored tables are listed for people: read-only, newest first, filtered and paged without a COUNT(*)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin import FieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Page, PageNotAnInteger, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.contrib.filters.forms import SearchForm

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
        counted = len(self.object_list.order_by().values_list("pk")[: EXACT_BELOW + 1])
        return counted if counted <= EXACT_BELOW else max(counted, estimate)

    def validate_number(self, number: Any) -> int:
        try:
            return max(1, int(number))
        except (TypeError, ValueError) as fault:
            raise PageNotAnInteger(f"{number!r} is not a page number") from fault

    def page(self, number: Any) -> Page[Any]:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        return Page(self.object_list[first : first + self.per_page], number, self)


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """What the system writes and people only read."""

    actions: Sequence[Any] | None = None
    show_facets = admin.ShowFacets.NEVER  # counts of every choice: COUNT(*) over the whole table
    list_filter_submit = True
    list_fullwidth = True
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class UncountedAdmin(ReadOnlyAdmin):
    """A table that only grows: pages by the planner's estimate, no COUNT(*)."""

    paginator = EstimatedPaginator
    show_full_result_count = False
    list_max_show_all = 0

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return UncountedList


class UncountedList(ChangeList):
    """Says "N results (Show all)" where the list is narrowed, and only there."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.has_active_filters or self.query):
            self.full_result_count = self.result_count


class BigTableAdmin(UncountedAdmin):
    """A table of millions, searched by exact symbol, without a scan for distinct values."""

    search_fields = ("symbol",)
    search_help_text = "a whole symbol, like BTCUSDT"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (queryset.filter(symbol__in={term, term.upper()}) if term else queryset), False


class ExactFilter(FieldListFilter):
    """A column filtered by a typed value, whole: `("cause", ExactFilter)`."""

    template = "unfold/filters/filters_field.html"

    def expected_parameters(self) -> list[str | None]:
        return [self.field_path]

    def value(self) -> str:
        typed = self.used_parameters.get(self.field_path) or [""]
        return str(typed[-1] if isinstance(typed, list) else typed).strip()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        try:
            return queryset.filter(**{self.field_path: self.value()}) if self.value() else queryset
        except (ValueError, ValidationError) as fault:
            raise IncorrectLookupParameters(fault) from fault

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        data = {self.field_path: self.value()}
        yield {"form": SearchForm(name=self.field_path, label=f"By {self.title}", data=data)}


class TimeRangeFilter(RangeDateTimeFilter):  # type: ignore[misc]  # unfold ships no types
    """From and to, in UTC, both included; a date without a time is its midnight."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        edges = {f"{self.field_path}__gte": self._edge("from"), f"{self.field_path}__lte": self._edge("to")}
        return queryset.filter(**{lookup: edge for lookup, edge in edges.items() if edge})

    def _edge(self, end: str) -> datetime | None:
        date, time = (self.used_parameters.get(f"{self.field_path}_{end}_{part}") or "" for part in "01")
        if not date:
            return None
        try:
            return datetime.fromisoformat(f"{date} {time or '00:00:00'}").replace(tzinfo=UTC)
        except ValueError as fault:
            raise IncorrectLookupParameters(fault) from fault


def planned_rows(queryset: QuerySet[Any]) -> int:
    """Return how many rows PostgreSQL expects of `queryset`."""
    plan = json.loads(queryset.order_by().explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])
