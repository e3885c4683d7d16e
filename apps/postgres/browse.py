"""How the rooms show their tables to people: read-only, newest first, never counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin import FieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import DecimalField, Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.forms import SearchForm
from unfold.decorators import display

from apps.postgres.estimate import EstimatedPaginator

Method = TypeVar("Method", bound=Callable[..., object])


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """What the house writes and people only read."""

    actions = None
    list_filter_submit = True
    list_fullwidth = True
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class BigTableAdmin(ReadOnlyAdmin):
    """A table of millions, searched by exact symbol: no COUNT(*), no scan for distinct values."""

    paginator = EstimatedPaginator
    show_full_result_count = False
    list_max_show_all = 0
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


def coloured(
    description: str, colours: Mapping[str, str], *, ordering: str | None = None
) -> Callable[[Method], Method]:
    """A list column shown as a label: `colours` maps its value to success, danger, warning or info."""
    return cast(
        "Callable[[Method], Method]", display(description=description, label=dict(colours), ordering=ordering)
    )


def number(field: str, description: str = "") -> Callable[[Model], str]:
    """A list column of a Decimal without the zeros its column pads it with."""

    @admin.display(description=description or field.replace("_", " "), ordering=field)
    def column(row: Model) -> str:
        value: Decimal | None = getattr(row, field)
        return "–" if value is None else f"{value.normalize():f}"

    column.__name__ = f"plain_{field}"
    return column


def plain_fields(model: type[Model]) -> list[str | Callable[[Model], str]]:
    """Every field of `model` for its page, Decimals as `number` shows them."""
    return [number(f.name) if isinstance(f, DecimalField) else f.name for f in model._meta.fields]


def link(url_name: str, text: object, **query: object) -> SafeString:
    """A link to an admin list, narrowed by `query`."""
    return format_html(
        '<a class="text-link" href="{}?{}">{}</a>', reverse(f"admin:{url_name}"), urlencode(query), text
    )


def joined(*links: SafeString) -> SafeString:
    """Several links in one cell."""
    return format_html_join(" · ", "{}", ((one,) for one in links))
