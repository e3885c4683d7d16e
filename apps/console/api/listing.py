"""The view every list of rows shares: filters in, one page out."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.console.api.errors import ErrorAnswer
from apps.console.api.fields import asked
from apps.console.api.paging import Order, PageQuery


class Listing(APIView):
    """GET answers `{results, next}`; a subclass says by which query, in which order, as which rows."""

    query: ClassVar[type[PageQuery]]
    row: ClassVar[type[serializers.Serializer[Any]]]
    order: ClassVar[Order]

    @abstractmethod
    def rows(self, wanted: dict[str, Any]) -> QuerySet[Any]:
        """The rows the checked query asks for."""

    def beside(self, found: list[Any]) -> dict[str, Any]:
        """What the rows of one page need besides themselves, read once for all of them."""
        return {}

    def get(self, request: Request) -> Response:
        wanted = asked(request, self.query)
        limit, cursor = wanted.pop("limit"), wanted.pop("cursor", None)
        found, after = self.order.page(self.rows(wanted), limit, cursor)
        rows = self.row(found, many=True, context=self.beside(found))
        return Response({"results": rows.data, "next": after})


def listed(query: type[PageQuery], row: type[serializers.Serializer[Any]], summary: str) -> Any:
    """The OpenAPI description of a Listing's GET."""
    page = inline_serializer(
        name=f"{row.__name__}Page",
        fields={"results": row(many=True), "next": serializers.CharField(allow_null=True)},
    )
    return extend_schema(
        summary=summary,
        parameters=[query],
        responses={200: page, 400: ErrorAnswer, 401: OpenApiResponse(ErrorAnswer)},
    )
