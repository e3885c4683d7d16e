"""Pages by key: the last row of a page says where the next begins, so no page counts or skips rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from rest_framework import serializers

from apps.console.api.errors import refused
from apps.console.api.fields import Strict

DEFAULT_ROWS = 100
MOST_ROWS = 1000
SEPARATOR = "~"

M = TypeVar("M", bound=Model)


class PageQuery(Strict):
    limit = serializers.IntegerField(default=DEFAULT_ROWS, min_value=1, max_value=MOST_ROWS)
    cursor = serializers.CharField(required=False, max_length=200, help_text="`next` of the page before")


def moment(text: str) -> datetime:
    """An aware time of a cursor; ValueError when it is none."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time without a zone")
    return found.astimezone(UTC)


def whole(text: str) -> int:
    """A row's number of a cursor; ValueError when it is none."""
    number = int(text)
    if not 0 <= number < 2**63:
        raise ValueError("beyond what a row's number can be")
    return number


@dataclass(frozen=True)
class Order:
    """One or two columns, together unique, and how each is read from a cursor."""

    columns: Sequence[tuple[str, Callable[[str], Any]]]
    newest_first: bool = True

    def page(self, rows: QuerySet[M], limit: int, cursor: str | None) -> tuple[list[M], str | None]:
        """At most `limit` rows after `cursor`, and the cursor of the next page (None: that was all)."""
        names = [f"-{name}" if self.newest_first else name for name, _ in self.columns]
        found = list(rows.filter(self._after(cursor)).order_by(*names)[: limit + 1])
        return found[:limit], self._cursor(found[limit - 1]) if len(found) > limit else None

    def _cursor(self, row: Model) -> str:
        return SEPARATOR.join(_text(getattr(row, name)) for name, _ in self.columns)

    def _after(self, cursor: str | None) -> Q:
        """`first <= a AND (first < a OR second < b)`: the index serves the first half."""
        if cursor is None:
            return Q()
        (first, *rest), side = self._read(cursor), "lt" if self.newest_first else "gt"
        if not rest:
            return Q(**{f"{first[0]}__{side}": first[1]})
        beyond = Q(**{f"{first[0]}__{side}": first[1]}) | Q(**{f"{rest[0][0]}__{side}": rest[0][1]})
        return Q(**{f"{first[0]}__{side}e": first[1]}) & beyond

    def _read(self, cursor: str) -> list[tuple[str, Any]]:
        parts = cursor.split(SEPARATOR)
        try:
            return [(name, read(part)) for (name, read), part in zip(self.columns, parts, strict=True)]
        except (ValueError, OverflowError):
            raise refused("cursor", "is not the `next` of an earlier page") from None


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
