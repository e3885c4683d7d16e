"""What requests are made of: serializers that refuse what they do not know, and fields without guessing."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from apps.console.api.errors import refused
from apps.engine.values.timeframe import Timeframe

TIMEFRAMES = [timeframe.value for timeframe in Timeframe]
MOST_SYMBOLS = 2000
LONGEST_NAME = 64


class Strict(serializers.Serializer[Any]):
    """A serializer that refuses unknown keys and names the nearest known one."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        if unknown:
            raise serializers.ValidationError({name: [self._nearest(name)] for name in unknown})
        return super().to_internal_value(data)

    def _nearest(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.fields, n=1, cutoff=0)
        return f"unknown; did you mean {near[0]}?" if near else "unknown; nothing is asked for here"


class StrictBoolean(serializers.BooleanField):
    """true or false of JSON, never a word or a number that resembles one."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError(f"must be true or false, not {data!r:.80}")
        return data


class Name(serializers.CharField):
    """A symbol, a profile or the like: short text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"max_length": LONGEST_NAME} | kwargs))

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError(f"must be a text, not {data!r:.80}")
        return super().to_internal_value(data)


@extend_schema_field({"oneOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]})
class Symbols(serializers.Field[tuple[str, ...], Any, Any, Any]):
    """A list, or names between commas; at least one, each once."""

    def to_internal_value(self, data: Any) -> tuple[str, ...]:
        given = data.split(",") if isinstance(data, str) else data
        if not isinstance(given, list):
            raise serializers.ValidationError("must be a list of symbols, or names between commas")
        if len(given) > MOST_SYMBOLS:
            raise serializers.ValidationError(f"{len(given)} symbols; at most {MOST_SYMBOLS}")
        if not given or given == [""]:
            raise serializers.ValidationError("is empty; leave it out to ask for every watched symbol")
        names = [Name().run_validation(name) for name in given]
        return tuple(dict.fromkeys(names))


def asked(request: Request, serializer: type[Strict]) -> dict[str, Any]:
    """The checked parameters of a GET; a parameter given twice is refused."""
    query: QueryDict = request.query_params
    for name, values in query.lists():
        if len(values) > 1:
            raise refused(name, f"is given {len(values)} times")
    return checked(serializer(data=query.dict()))


def told(request: Request, serializer: type[Strict]) -> dict[str, Any]:
    """The checked body of a POST; an absent body is an empty one."""
    return checked(serializer(data=request.data))


def checked(serializer: Strict) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
