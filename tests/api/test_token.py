from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import override_settings
from django.urls import reverse
from rest_framework.test import APIClient

PASSWORD = "correct horse battery staple"
RIGHT = {"username": "rita", "password": PASSWORD}


@pytest.fixture(autouse=True)
def rita(db: None) -> Iterator[User]:
    """Her password is hashed fast: how slow that is, is not the subject here."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield User.objects.create_user("rita", password=PASSWORD)


def test_name_and_password_give_a_token_that_opens_the_api(anonymous: APIClient) -> None:
    token = anonymous.post(reverse("api:token"), RIGHT, format="json").json()["token"]
    assert anonymous.get(reverse("api:runs"), headers={"Authorization": f"Token {token}"}).status_code == 200


@pytest.mark.parametrize("wrong", [{"password": "guess"}, {"username": "nobody"}, {"username": "RITA"}])
def test_a_wrong_login_says_not_which_half_is_wrong(wrong: dict[str, str], anonymous: APIClient) -> None:
    refused = anonymous.post(reverse("api:token"), RIGHT | wrong, format="json")
    assert (refused.status_code, refused.json()["code"]) == (401, "authentication_failed")
    assert refused.json()["message"] == "name or password is wrong, or the account is not active"


def test_guessing_is_slowed_down_whatever_address_the_headers_claim(anonymous: APIClient) -> None:
    guess = RIGHT | {"password": "guess"}
    answers = [
        anonymous.post(reverse("api:token"), guess, format="json", headers={"X-Forwarded-For": f"10.0.0.{n}"})
        for n in range(11)
    ]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    last = answers[-1].json()
    assert last["code"] == "throttled"
    assert 0 < int(last["details"]["retry_after_s"]) <= 60
