"""How the rooms show their tables to people: read-only, newest first, never counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import DecimalField, Model, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from apps.admin_base.numbers import plain
from apps.admin_base.paginator import EstimatedPaginator

SIDE_COLOURS = {"LONG": "success", "SHORT": "danger"}
CAUSE_COLOURS = {
    "READY": "font-semibold text-green-700 dark:text-green-400",
    "kill_switch": "font-semibold text-red-700 dark:text-red-400",
}

Method = TypeVar("Method", bound=Callable[..., object])


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """What the house writes and people only read."""

    actions = None
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
        return plain(getattr(row, field))

    column.__name__ = f"plain_{field}"
    return column


def plain_fields(model: type[Model]) -> list[str | Callable[[Model], str]]:
    """Every field of `model` for its page, Decimals as `number` shows them."""
    return [number(f.name) if isinstance(f, DecimalField) else f.name for f in model._meta.fields]


def cause_text(cause: str | None) -> SafeString:
    """A cause or reason in its exact letters, which people search for: ready in green, a switch in red."""
    colour = next((css for start, css in CAUSE_COLOURS.items() if (cause or "").startswith(start)), "")
    return format_html('<span class="{}">{}</span>', colour, cause or "–")


def figures(values: Mapping[str, object]) -> SafeString:
    """A small table of names and what they measure."""
    return render_to_string("admin/figures.html", {"figures": values})


def link(url_name: str, text: object, **query: object) -> SafeString:
    """A link to an admin list, narrowed by `query`."""
    return format_html(
        '<a class="text-link" href="{}?{}">{}</a>', reverse(f"admin:{url_name}"), urlencode(query), text
    )


def joined(*links: SafeString) -> SafeString:
    """Several links in one cell."""
    return format_html_join(" · ", "{}", ((one,) for one in links))
