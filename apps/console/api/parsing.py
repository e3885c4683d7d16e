"""JSON bodies, read strictly: a bounded size, a bounded depth, no key twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

LIMIT_BYTES = 262_144
"""Far above the longest honest body: two thousand symbols are 30 kB."""


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = f"the body is longer than {LIMIT_BYTES} bytes"


class StrictJSON(BaseParser):
    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The body as Python values; ParseError says what is wrong with it."""
        text = stream.read(LIMIT_BYTES + 1)
        if len(text) > LIMIT_BYTES:
            raise TooLarge
        try:
            found = json.loads(text.decode(), parse_constant=_no_number, object_pairs_hook=_once)
            json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
            return found
        except RecursionError:
            raise ParseError("the body is nested too deeply") from None
        except ValueError as fault:
            raise ParseError(f"the body is not JSON: {fault}") from fault


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is not a JSON number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(n for n in names if names.count(n) > 1)!r} is given twice")
    return found
