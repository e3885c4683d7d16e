from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import override_settings
from django.urls import reverse
from rest_framework.test import APIClient

from apps.console.api.request import LIMIT_BYTES
from tests.api.addresses import RUN_ID

POST = reverse("api:switches")


def shape(answer: Any) -> tuple[int, str]:
    """Status and code, having checked that nothing but the one shape was answered."""
    body = answer.json()
    assert set(body) == {"status", "code", "message", "details"}
    assert body["status"] == "error"
    assert body["message"]
    assert isinstance(body["details"], dict)
    return answer.status_code, body["code"]


@pytest.mark.parametrize(
    ("method", "address", "expected"),
    [
        ("get", "/api/nowhere", (404, "not_found")),
        ("get", "/api", (404, "not_found")),
        ("post", "/api/mtf/run/", (404, "not_found")),
        ("get", reverse("api:run", args=[RUN_ID]), (404, "not_found")),
        ("get", "/api/mtf/runs/not-a-uuid", (404, "not_found")),
        ("put", reverse("api:runs"), (405, "method_not_allowed")),
        ("get", reverse("api:run-now"), (405, "method_not_allowed")),
        ("delete", reverse("api:alive"), (405, "method_not_allowed")),
        ("get", reverse("api:runs") + "?limit=0", (400, "invalid")),
        ("get", reverse("api:ready"), (503, "not_ready")),
    ],
)
def test_every_error_has_the_one_shape(
    method: str, address: str, expected: tuple[int, str], operator: APIClient
) -> None:
    assert shape(getattr(operator, method)(address)) == expected


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"{", "application/json", (400, "parse_error")),
        (b"\xff\xfe", "application/json", (400, "parse_error")),
        (b'{"a": NaN}', "application/json", (400, "parse_error")),
        (b'{"key": "GLOBAL", "key": "SYMBOL:X"}', "application/json", (400, "parse_error")),
        (b'{"reason": "\\ud800"}', "application/json", (400, "parse_error")),
        (b'{"\\ud800": 1}', "application/json", (400, "parse_error")),
        (b"[" * 100_000, "application/json", (400, "parse_error")),
        (b"9" * 5_000, "application/json", (400, "parse_error")),
        (b'"' + b"x" * LIMIT_BYTES + b'"', "application/json", (413, "too_large")),
        (b"[]", "application/json", (400, "invalid")),
        (b"null", "application/json", (400, "invalid")),
        (b"", "application/json", (400, "invalid")),
        (b"key=GLOBAL", "application/x-www-form-urlencoded", (415, "unsupported_media_type")),
    ],
)
def test_a_body_that_cannot_be_read_is_a_clear_error(
    body: bytes, content_type: str, expected: tuple[int, str], operator: APIClient
) -> None:
    assert shape(operator.post(POST, body, content_type=content_type)) == expected


def test_a_validation_error_names_the_field(operator: APIClient) -> None:
    body = operator.post(POST, {"key": "GLOBAL"}, format="json").json()
    assert body["message"] == "reason: This field is required."
    assert body["details"] == {"reason": ["This field is required."]}


@pytest.mark.parametrize(
    ("wrong", "meant"), [("raeson", "reason"), ("keys", "key"), ("expire_at", "expires_at")]
)
def test_an_unknown_key_is_refused_naming_the_nearest(wrong: str, meant: str, operator: APIClient) -> None:
    body = operator.post(POST, {wrong: "x"}, format="json").json()
    assert body["details"][wrong] == [f"unknown; did you mean {meant}?"]


def test_an_unknown_parameter_is_refused_naming_the_nearest(reader: APIClient) -> None:
    body = reader.get(reverse("api:audit") + "?symbl=BTCUSDT").json()
    assert body["message"] == "symbl: unknown; did you mean symbol?"


def test_a_parameter_given_twice_is_refused(reader: APIClient) -> None:
    assert reader.get(reverse("api:audit") + "?symbol=A&symbol=B").json()["details"] == {
        "symbol": ["is given 2 times"]
    }


@override_settings(ALLOWED_HOSTS=["testserver"])
def test_a_text_only_client_gets_the_shape_too(reader: APIClient) -> None:
    assert shape(reader.get(reverse("api:runs"), headers={"Accept": "text/html"})) == (406, "not_acceptable")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (OperationalError("password=hunter2 server gone"), (503, "unavailable")),
        (RuntimeError("secret=hunter2"), (500, "fault")),
    ],
)
def test_a_fault_of_ours_tells_no_internals(
    fault: Exception, expected: tuple[int, str], reader: APIClient
) -> None:
    def broken(*_: Any) -> None:
        raise fault

    with connection.execute_wrapper(broken):
        answer = reader.get(reverse("api:runs"))
    assert shape(answer) == expected
    assert "hunter2" not in answer.content.decode()
