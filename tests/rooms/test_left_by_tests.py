"""Workers take tests from each other: what migrations wrote is there whichever ran before."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django_celery_beat.models import PeriodicTask

from apps.audit.models import OperatorAction
from apps.switches.models import MtfSwitch
from tests import emptied_database

pytestmark = pytest.mark.django_db


def written_by_migrations() -> list[object]:
    return [
        sorted(Group.objects.values_list("id", "name", "permissions__codename")),
        sorted(MtfSwitch.objects.values_list("id", "switch_key", "reason")),
        sorted(PeriodicTask.objects.values_list("id", "name", "enabled")),
        Permission.objects.count(),
    ]


def test_after_a_test_that_commits_only_what_migrations_wrote_is_there() -> None:
    before = written_by_migrations()
    assert all(before)
    MtfSwitch.objects.create(switch_key="SYMBOL:LEFTUSDT")
    Group.objects.all().delete()
    emptied_database.empty()
    assert written_by_migrations() == before
    assert not OperatorAction.objects.exists()
