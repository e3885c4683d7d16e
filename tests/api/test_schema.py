from __future__ import annotations

import io

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse
from rest_framework.test import APIClient

from tests.api.addresses import PATHS


@pytest.fixture(scope="module")
def schema() -> dict[str, dict[str, dict[str, object]]]:
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    return yaml.safe_load(out.getvalue())


def test_the_schema_is_valid_and_generated_without_a_warning(schema: dict[str, object]) -> None:
    assert str(schema["openapi"]).startswith("3.")


def test_the_schema_describes_every_address(schema: dict[str, dict[str, dict[str, object]]]) -> None:
    described = {(path, method) for path, methods in schema["paths"].items() for method in methods}
    undescribed = {"schema", "docs"}
    acts = {"token", "run-now", "switches", "switch-toggle", "order-plan-approve", "order-plan-reject"}
    acts |= {"position-close", "flatten"}
    reads = set(PATHS) - undescribed - acts | {"switches"}
    assert described == {(PATHS[name], "get") for name in reads} | {(PATHS[name], "post") for name in acts}


def test_the_schema_and_the_docs_open_for_who_is_logged_in(reader: APIClient) -> None:
    assert reader.get(reverse("api:schema")).status_code == 200
    browser = APIClient()
    browser.force_login(User.objects.get(username="rita"))
    page = browser.get(reverse("api:docs"), headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "swagger-ui" in page.content.decode()
