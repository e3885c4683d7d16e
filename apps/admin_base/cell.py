"""What a column of a list, or a row of a page, shows: labels, plain numbers, links, small tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import DecimalField, Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from apps.admin_base.format import SELECTION, plain, significant

SIDE_COLOURS = {"LONG": "success", "SHORT": "danger"}
CAUSE_COLOURS = {
    "READY": "font-semibold text-green-700 dark:text-green-400",
    "kill_switch": "font-semibold text-red-700 dark:text-red-400",
}

Method = TypeVar("Method", bound=Callable[..., object])


def coloured(
    description: str, colours: Mapping[str, str], *, ordering: str | None = None
) -> Callable[[Method], Method]:
    """Decorate a list column shown as a label; `colours` maps values to success, danger, warning or info."""
    return cast(
        "Callable[[Method], Method]", display(description=description, label=dict(colours), ordering=ordering)
    )


def number(field: str, description: str = "") -> Callable[[Model], str]:
    """Return a list column of a Decimal without the zeros its column pads it with."""

    @admin.display(description=description or field.replace("_", " "), ordering=field)
    def column(row: Model) -> str:
        return plain(getattr(row, field))

    column.__name__ = f"plain_{field}"
    return column


def plain_fields(model: type[Model]) -> list[str | Callable[[Model], str]]:
    """Return every field of `model` for its page, Decimals as `number` shows them."""
    return [number(f.name) if isinstance(f, DecimalField) else f.name for f in model._meta.fields]


def cause_text(cause: str | None) -> SafeString:
    """Return a cause or reason in its exact letters, which people search for: ready green, a switch red."""
    colour = next((css for start, css in CAUSE_COLOURS.items() if (cause or "").startswith(start)), "")
    return format_html('<span class="{}">{}</span>', colour, cause or "–")


def figures(values: Mapping[str, object]) -> SafeString:
    """Return a small table of names and what they measure."""
    return render_to_string("admin/figures.html", {"figures": values})


def link(url_name: str, text: object, **query: object) -> SafeString:
    """Return a link to an admin list, narrowed by `query`."""
    return format_html(
        '<a class="text-link" href="{}?{}">{}</a>', reverse(f"admin:{url_name}"), urlencode(query), text
    )


def joined(*links: SafeString) -> SafeString:
    """Return several links for one cell."""
    return format_html_join(" · ", "{}", ((each,) for each in links))


def trace(details: Mapping[str, Any]) -> SafeString:
    """Return the conditions of a stored verdict with what they compared, by timeframe, side and role.

    `details` is an audit row's, or a plan's context; – where it holds no verdict.
    """
    timeframes = []
    for judged in (details.get("verdict") or {}).get("timeframes", []):
        groups = [
            {
                "title": f"{side} filter" if role == "filter" else side or SELECTION[role],
                "leaves": [
                    {
                        **leaf,
                        "left": None if leaf["left"] is None else significant(leaf["left"]),
                        "right": "" if leaf["right"] is None else significant(leaf["right"]),
                    }
                    for leaf in leaves
                ],
            }
            for (side, role), leaves in groupby(
                judged["leaves"], key=lambda leaf: (leaf["side"], leaf["role"])
            )
        ]
        timeframes.append(judged | {"groups": groups})
    return render_to_string("admin/audit/trace.html", {"timeframes": timeframes})
