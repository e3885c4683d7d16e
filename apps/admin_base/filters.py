"""List filters that ask the database for nothing but the rows: no list of distinct values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.contrib.admin import FieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.contrib.filters.forms import SearchForm


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
