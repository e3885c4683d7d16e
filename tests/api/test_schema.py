from __future__ import annotations

import io

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.management import call_command
from rest_framework.test import APIClient

from tests.api.addresses import ACTING, FOR_ANYBODY, FOR_READERS


@pytest.fixture(scope="module")
def schema() -> dict[str, dict[str, dict[str, object]]]:
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    return yaml.safe_load(out.getvalue())


def test_the_schema_is_valid_and_generated_without_a_warning(schema: dict[str, object]) -> None:
    assert str(schema["openapi"]).startswith("3.")


def test_the_schema_describes_every_address(schema: dict[str, dict[str, dict[str, object]]]) -> None:
    described = {(path, method) for path, methods in schema["paths"].items() for method in methods}
    plain = {
        "/api/mtf/explain/BTCUSDT": "/api/mtf/explain/{symbol}",
        ACTING[2]: "/api/mtf/switches/{switch_id}/toggle",
        ACTING[3]: "/api/mtf/order-plans/{plan_id}/approve",
        ACTING[4]: "/api/mtf/order-plans/{plan_id}/reject",
    }
    reads = {
        plain.get(path, path).split("?")[0] for path in [*FOR_ANYBODY, *FOR_READERS] if "schema" not in path
    }
    reads = {"/api/mtf/runs/{run_id}" if path.startswith("/api/mtf/runs/") else path for path in reads}
    acts = {plain.get(path, path) for path in [*ACTING, "/api/token"]}
    assert described == {(path, "get") for path in reads} | {(path, "post") for path in acts}


def test_the_schema_and_the_docs_open_for_who_is_logged_in(reader: APIClient) -> None:
    assert reader.get("/api/schema/").status_code == 200
    browser = APIClient()
    browser.force_login(User.objects.get(username="rita"))
    page = browser.get("/api/docs/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "swagger-ui" in page.content.decode()
