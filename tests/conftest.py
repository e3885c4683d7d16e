from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from celery.app import app_or_default
from django.core.signals import setting_changed
from django.dispatch import receiver
from pytest_django import DjangoDbBlocker

from apps.exchange import venue
from apps.market import quotes
from tests import emptied_database
from tradingv3 import celery_app

emptied_database.instead_of_flush()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        emptied_database.copy_migrated_rows()


@pytest.fixture(autouse=True)
def _tasks_keep_their_app() -> Iterator[None]:
    """An app that a test makes is not where the tasks of later tests go."""
    yield
    assert app_or_default() is celery_app, "an app made here became current: give it set_as_current=False"


@pytest.fixture
def board() -> Iterator[redis.Redis]:
    """The quote board's Redis: nobody is wanted and nothing shown, before and after."""
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    client.delete(quotes.WANTED, *client.scan_iter("quote:*"))
    yield client
    client.delete(quotes.WANTED, *client.scan_iter("quote:*"))
    client.close()


@receiver(setting_changed)
def forget_the_venue(**_: Any) -> None:
    """A process builds its venue once; here its settings change."""
    if venue._built.cache_info().currsize:
        built: Any = venue._built()
        for each in (built.broker, built.history._client, built.prompt_history._client):
            each.close()
    for cached in (venue.current, venue.dry, venue._built):
        cached.cache_clear()
