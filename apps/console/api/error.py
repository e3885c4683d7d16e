"""One shape for every error: `{status: "error", code, message, details}`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from psycopg_pool import PoolTimeout
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

log = structlog.get_logger("mtf")

_NO_CONNECTION = (
    "no connection to the database came free within {timeout} s: it does not answer, or more ask at once "
    "than the {max_size} connections of the web process can serve; retry"
)


class ErrorAnswer(serializers.Serializer[Any]):
    status = serializers.CharField(help_text="error")
    code = serializers.CharField()
    message = serializers.CharField()
    details = serializers.DictField(help_text="field → what is wrong with it, or the numbers looked at")


class Unavailable(APIException):
    """A server we need is gone; the same request may succeed later."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "unavailable"


class TooMany(APIException):
    """As much as may wait is waiting; the same request may succeed in `wait` seconds (`Retry-After`)."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "too_many"
    wait = 5


class Broken(APIException):
    """A fault of ours; the log has it."""

    status_code = status.HTTP_500_INTERNAL_SERVER_ERROR
    default_code = "fault"
    default_detail = "an internal fault, written to the log; nothing more is known here"


class Conflict(APIException):
    """What the request is about has moved on."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


def error_body(code: str, message: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"status": "error", "code": code, "message": message, "details": dict(details or {})}


def handle(fault: Exception, context: dict[str, Any]) -> Response:
    """Return what broke in a view in the one shape; what nobody expected is logged and tells no internals."""
    response = exception_handler(fault, context)
    if response is None:
        request = context["request"]
        log.error("api_fault", method=request.method, path=request.path, exc_info=fault)
        set_rollback()
        fault = _translated(fault)
        response = Response(status=fault.status_code)
    if isinstance(fault, ValidationError):
        faults = response.data if isinstance(response.data, dict) else {"body": response.data}
        details = {
            ("body" if name == "non_field_errors" else name): _texts(value) for name, value in faults.items()
        }
        field, texts = next(iter(details.items()))
        response.data = error_body("invalid", f"{field}: {texts[0]}", details)
        return response
    detail = response.data["detail"] if response.data else getattr(fault, "detail", "")
    code = detail.code if isinstance(detail, ErrorDetail) else None
    retry = {"retry_after_s": response["Retry-After"]} if "Retry-After" in response else {}
    response.data = error_body(code or "error", str(detail), retry)
    return response


@csrf_exempt
def unknown_address(request: HttpRequest) -> JsonResponse:
    """Return 404 for every path below /api/ that nobody serves."""
    message = f"no such address: {request.path}; the API is described at /api/docs/"
    return JsonResponse(error_body("not_found", message), status=404)


@csrf_exempt
def fault_outside(request: HttpRequest) -> HttpResponse:
    """Return 503 for the database, else 500, for what broke outside the API's views (admin, middleware).

    Runs in a thread that is not the request's: it must not ask the database.
    """
    fault = _translated(sys.exc_info()[1])
    if request.path.startswith("/api/"):
        return JsonResponse(error_body(fault.default_code, str(fault.detail)), status=fault.status_code)
    return HttpResponse(f"{fault.detail}\n", status=fault.status_code, content_type="text/plain")


def _translated(fault: BaseException | None) -> APIException:
    if isinstance(fault, OperationalError | InterfaceError):
        if isinstance(fault.__cause__, PoolTimeout):
            return Unavailable(_NO_CONNECTION.format(**settings.WEB_POOL))
        return Unavailable("the database does not answer; retry when it is back")
    if isinstance(fault, DatabaseError):
        return Broken("the database refused the request; the log has its words")
    return Broken()


def _texts(value: Any) -> list[str]:
    """Return the leaves of nested errors, each with the keys that lead to it."""
    if isinstance(value, dict):
        return [f"{key}: {text}" for key, child in value.items() for text in _texts(child)]
    if isinstance(value, list):
        return [text for child in value for text in _texts(child)]
    return [str(value)]
