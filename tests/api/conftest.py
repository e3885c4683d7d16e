"""People who may read, people who may act, and clients that speak as them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from kombu import pools
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from tradingv3 import celery_app

ACTS = ("add_mtfrun", "change_mtfswitch", "review_orderplan")


@pytest.fixture(autouse=True)
def _no_throttling_from_earlier_tests() -> None:
    cache.clear()


@pytest.fixture
def anonymous() -> APIClient:
    return APIClient()


@pytest.fixture
def reader(db: None) -> APIClient:
    return _speaking_as(User.objects.create_user("rita"))


@pytest.fixture
def operator(db: None) -> APIClient:
    user = User.objects.create_user("olga")
    user.user_permissions.set(Permission.objects.filter(codename__in=ACTS))
    return _speaking_as(user)


@pytest.fixture
def who(anonymous: APIClient, reader: APIClient, operator: APIClient) -> Callable[[str], APIClient]:
    return {"anonymous": anonymous, "reader": reader, "operator": operator}.__getitem__


def _speaking_as(user: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.create(user=user).key}")
    return client


@pytest.fixture
def dead_broker() -> Iterator[None]:
    """Celery's producers point where nothing listens."""
    alive = celery_app.conf.broker_url
    _point_at("redis://127.0.0.1:1/0")
    yield
    _point_at(alive)


def _point_at(url: str) -> None:
    celery_app.conf.broker_url = url
    celery_app.pool.force_close_all()
    celery_app._pool = None
    celery_app.amqp._producer_pool = None
    pools.reset()
