"""Lists of rows, a page at a time by key: the last row of a page says where the next begins.

So no page counts or skips rows. Django REST framework's CursorPagination orders by one column and an offset,
hands out URLs and answers 404 to a bad cursor; here are two columns that an index serves, and a 400 that
names `cursor`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

from django.db.models import Model, Q, QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.console.api.error import ErrorAnswer
from apps.console.api.request import Strict, field_error, query_of

DEFAULT_ROWS = 100
MOST_ROWS = 1000
SEPARATOR = "~"

M = TypeVar("M", bound=Model)


class PageQuery(Strict):
    limit = serializers.IntegerField(default=DEFAULT_ROWS, min_value=1, max_value=MOST_ROWS)
    cursor = serializers.CharField(required=False, max_length=200, help_text="`next` of the page before")


def cursor_time(text: str) -> datetime:
    """Return an aware time of a cursor; ValueError when it is none."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at.astimezone(UTC)


def cursor_id(text: str) -> int:
    """Return a row's number of a cursor; ValueError when it is none."""
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
        """Return at most `limit` rows after `cursor`, and the cursor of the next page (None: that was all).

        `first <= a AND (first < a OR second < b)`: the index serves the first half.
        """
        if cursor is not None:
            side = "lt" if self.newest_first else "gt"
            (first, value), *second = self.read(cursor)
            beyond = Q((f"{first}__{side}", value))
            for column, of_second in second:
                beyond = Q((f"{first}__{side}e", value)) & (beyond | Q((f"{column}__{side}", of_second)))
            rows = rows.filter(beyond)
        names = [f"-{name}" if self.newest_first else name for name, _ in self.columns]
        page = list(rows.order_by(*names)[: limit + 1])
        if len(page) <= limit:
            return page, None
        values = [getattr(page[limit - 1], name) for name, _ in self.columns]
        texts = [value.isoformat() if isinstance(value, datetime) else str(value) for value in values]
        return page[:limit], SEPARATOR.join(texts)

    def read(self, cursor: str) -> list[tuple[str, Any]]:
        """Return column → its value in the cursor. Raises the 400 that names `cursor`."""
        parts = cursor.split(SEPARATOR)
        try:
            return [(name, read(part)) for (name, read), part in zip(self.columns, parts, strict=True)]
        except (ValueError, OverflowError):
            raise field_error("cursor", "is not the `next` of an earlier page") from None


class Listing(APIView):
    """GET answers `{results, next}`; a subclass says by which query, in which order, as which rows."""

    query: ClassVar[type[PageQuery]]
    row: ClassVar[type[serializers.ModelSerializer[Any]]]
    order: ClassVar[Order]
    time_column: ClassVar[str] = ""
    """What `since` and `until` of the query are about."""

    def rows(self, filters: dict[str, Any]) -> QuerySet[Any]:
        """Return the rows the checked query asks for."""
        names = {"since": f"{self.time_column}__gte", "until": f"{self.time_column}__lt"}
        model: type[Model] = self.row.Meta.model
        return model._default_manager.filter(
            **{names.get(name, name): value for name, value in filters.items()}
        )

    def row_context(self, page: list[Any]) -> dict[str, Any]:
        """Return what the rows of one page need besides themselves, read once for all of them."""
        return {}

    def get(self, request: Request) -> Response:
        filters = query_of(request, self.query)
        limit, cursor = filters.pop("limit"), filters.pop("cursor", None)
        page, after = self.order.page(self.rows(filters), limit, cursor)
        rows = self.row(page, many=True, context=self.row_context(page))
        return Response({"results": rows.data, "next": after})


def described(summary: str) -> Callable[[type[Listing]], type[Listing]]:
    """Decorate a Listing with the OpenAPI description of its GET."""

    def describe(view: type[Listing]) -> type[Listing]:
        page = inline_serializer(
            name=f"{view.row.__name__}Page",
            fields={"results": view.row(many=True), "next": serializers.CharField(allow_null=True)},
        )
        get = extend_schema(
            summary=summary,
            parameters=[view.query],
            responses={200: page, 400: ErrorAnswer, 401: OpenApiResponse(ErrorAnswer)},
        )
        return extend_schema_view(get=get)(view)

    return describe
