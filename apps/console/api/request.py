"""What a request is made of, read strictly: who may act, JSON bodies, and serializers that guess nothing.

Django REST framework's settings name classes of this file, so it must not import its views.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from apps.engine.values.timeframe import Timeframe

TIMEFRAMES = [timeframe.value for timeframe in Timeframe]
"""As plain text, like all choices here: of members the schema would name its enums otherwise."""
LIMIT_BYTES = 262_144
"""Far above the longest honest body: two thousand symbols are 30 kB."""
MOST_SYMBOLS = 2000
LONGEST_NAME = 64
LONGEST_REASON = 500


class MayAct(IsAuthenticated):
    """Reading needs a login; acting needs the permission that the view names in `acting`.

    Closed by default: a view that acts and names none breaks instead of letting in.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        if request.method in SAFE_METHODS or request.method not in view.allowed_methods:
            return True
        return bool(request.user.has_perm(view.acting))


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = f"the body is longer than {LIMIT_BYTES} bytes"


class StrictJSON(BaseParser):
    """A bounded size, a bounded depth, no key twice."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the body as Python values; ParseError says what is wrong with it."""

        def refuse_constant(word: str) -> None:
            raise ValueError(f"{word} is not a JSON number")

        def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            content = dict(pairs)
            if len(content) < len(pairs):
                names = [name for name, _ in pairs]
                raise ValueError(f"{next(n for n in names if names.count(n) > 1)!r} is given twice")
            return content

        text = stream.read(LIMIT_BYTES + 1)
        if len(text) > LIMIT_BYTES:
            raise TooLarge
        try:
            body = json.loads(text.decode(), parse_constant=refuse_constant, object_pairs_hook=unique_keys)
            json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no text
            return body
        except RecursionError:
            raise ParseError("the body is nested too deeply") from None
        except ValueError as fault:
            raise ParseError(f"the body is not JSON: {fault}") from fault


class Strict(serializers.Serializer[Any]):
    """A serializer that refuses unknown keys and names the nearest known one."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        faults = {}
        for name in unknown:
            near = difflib.get_close_matches(name, self.fields, n=1, cutoff=0)
            hint = f"did you mean {near[0]}?" if near else "nothing is asked for here"
            faults[name] = [f"unknown; {hint}"]
        if faults:
            raise serializers.ValidationError(faults)
        return super().to_internal_value(data)


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
        texts = data.split(",") if isinstance(data, str) else data
        if not isinstance(texts, list):
            raise serializers.ValidationError("must be a list of symbols, or names between commas")
        if len(texts) > MOST_SYMBOLS:
            raise serializers.ValidationError(f"{len(texts)} symbols; at most {MOST_SYMBOLS}")
        if not texts or texts == [""]:
            raise serializers.ValidationError("is empty; leave it out to ask for the profile's universe")
        names = [Name().run_validation(text) for text in texts]
        return tuple(dict.fromkeys(names))


def field_error(field: str, message: str) -> ValidationError:
    """Return the 400 that names the field."""
    return ValidationError({field: [message]})


def query_of(request: Request, serializer: type[Strict]) -> dict[str, Any]:
    """Return the checked parameters of a GET; a parameter given twice is refused."""
    for name, values in request.query_params.lists():
        if len(values) > 1:
            raise field_error(name, f"is given {len(values)} times")
    return validated(serializer(data=request.query_params.dict()))


def body_of(request: Request, serializer: type[Strict]) -> dict[str, Any]:
    """Return the checked body of a POST; an absent body is an empty one."""
    return validated(serializer(data=request.data))


def validated(serializer: Strict) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
