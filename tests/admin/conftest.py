"""People of each kind, logged in, over rooms with rows in them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from tests.rooms.fill import fill


@pytest.fixture
def rows(db: None) -> None:
    fill(timezone.now())


@pytest.fixture
def person(db: None) -> Callable[[str], Client]:
    """A logged-in member of staff of a group; the name is the group's."""

    def make(group: str) -> Client:
        user = User.objects.create_user(group, is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client
