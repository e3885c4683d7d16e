"""People who may read, people who may act, and clients that speak as them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

ACTS = ("add_mtfrun", "change_mtfswitch")
PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _no_throttling_from_earlier_tests() -> None:
    cache.clear()


@pytest.fixture
def anonymous() -> APIClient:
    return APIClient()


@pytest.fixture
def reader(db: None) -> APIClient:
    return _speaking_as(User.objects.create_user("rita", password=PASSWORD))


@pytest.fixture
def operator(db: None) -> APIClient:
    user = User.objects.create_user("olga", password=PASSWORD)
    user.user_permissions.set(Permission.objects.filter(codename__in=ACTS))
    return _speaking_as(user)


@pytest.fixture
def who(anonymous: APIClient, reader: APIClient, operator: APIClient) -> Callable[[str], APIClient]:
    return {"anonymous": anonymous, "reader": reader, "operator": operator}.__getitem__


def _speaking_as(user: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.create(user=user).key}")
    return client
