from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.urls import URLPattern, reverse
from rest_framework.test import APIClient

from apps.console.api.urls import urlpatterns
from apps.switches.models import MtfSwitch
from tests.api.addresses import ACTING, ARGUMENTS, FOR_ANYBODY, FOR_READERS, PATHS

Who = Callable[[str], APIClient]
REFUSALS = {401: "not_authenticated", 403: "permission_denied"}


@pytest.mark.parametrize("address", FOR_READERS)
def test_reading_needs_a_login(address: str, who: Who) -> None:
    refused = who("anonymous").get(address)
    assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")
    assert who("reader").get(address).status_code in (200, 400, 404)


@pytest.mark.parametrize("address", FOR_ANYBODY)
def test_health_is_told_without_a_login(address: str, anonymous: APIClient, db: None) -> None:
    assert anonymous.get(address).status_code in (200, 503)


@pytest.mark.parametrize("address", ACTING)
@pytest.mark.parametrize(("name", "status"), [("anonymous", 401), ("reader", 403)])
def test_acting_needs_the_permission(address: str, name: str, status: int, who: Who) -> None:
    refused = who(name).post(address, {"key": "GLOBAL", "reason": "maintenance"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (status, REFUSALS[status])
    assert not MtfSwitch.objects.filter(is_on=False).exists()


@pytest.mark.parametrize("address", ACTING)
def test_who_has_the_permission_passes_the_door(address: str, operator: APIClient) -> None:
    assert operator.post(address, {"unknown": 1}, format="json").status_code == 400


@pytest.mark.parametrize(("name", "path"), PATHS.items())
def test_every_path_has_its_name_and_stays_where_it_is(name: str, path: str) -> None:
    arguments = {key: value for key, value in ARGUMENTS.items() if f"{{{key}}}" in path}
    assert reverse(f"api:{name}", kwargs=arguments) == path.format(**arguments)


def test_no_path_is_missing_in_the_table_of_names() -> None:
    names = {pattern.name for pattern in urlpatterns if isinstance(pattern, URLPattern)}
    assert names - {"unknown"} == set(PATHS)


def test_every_address_is_in_the_table_of_permissions() -> None:
    listed = {path.split("?")[0] for path in [*FOR_ANYBODY, *FOR_READERS, *ACTING]} | {
        reverse("api:token"),
        reverse("api:docs"),
    }
    addresses = [pattern for pattern in urlpatterns if isinstance(pattern, URLPattern)]
    served = [pattern for pattern in addresses if not str(pattern.pattern).startswith("^")]
    assert len(served) == len({next(p for p in served if p.resolve(path[1:])) for path in listed})


@pytest.mark.parametrize(
    "header", ["Token wrong", "Token", "Token a b", "Token \x80", "Bearer x", "Basic eDp5"]
)
def test_a_wrong_token_is_refused(header: str, anonymous: APIClient, db: None) -> None:
    refused = anonymous.get(reverse("api:runs"), headers={"Authorization": header})
    assert refused.status_code == 401
    assert refused.json()["status"] == "error"
    assert refused["WWW-Authenticate"] == "Token"


def test_a_session_reads_and_acts_only_with_the_csrf_token(reader: APIClient) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(User.objects.get(username="rita"))
    assert browser.get(reverse("api:runs")).status_code == 200
    forged = browser.post(reverse("api:switches"), {"key": "GLOBAL", "reason": "x"}, format="json")
    assert (forged.status_code, forged.json()["code"]) == (403, "permission_denied")
    assert "CSRF" in forged.json()["message"]


def test_a_disabled_account_is_out_at_once(reader: APIClient) -> None:
    User.objects.filter(username="rita").update(is_active=False)
    assert reader.get(reverse("api:runs")).status_code == 401


def test_the_docs_send_a_stranger_to_the_login(anonymous: APIClient, db: None) -> None:
    sent = anonymous.get(reverse("api:docs"))
    assert (sent.status_code, sent["Location"]) == (302, "/admin/login/?next=/api/docs/")
