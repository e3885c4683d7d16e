from __future__ import annotations

import pytest
from django.core.management import call_command
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from apps.live.schedule import SCHEDULE
from tradingv3.celery import app

pytestmark = pytest.mark.django_db


def rows() -> dict[str, tuple[str, str, int]]:
    return {
        row.name: (row.task, row.queue, row.expire_seconds)
        for row in PeriodicTask.objects.exclude(name__startswith="celery.")
    }


def test_a_fresh_database_fires_the_tasks_of_this_version() -> None:
    assert rows() == {
        "minute": ("apps.live.tasks.judge_minute", "mtf", 55),
        "contracts": ("apps.live.tasks.sync_contracts", "exchange", 1800),
        "reviews": ("apps.live.tasks.enter_approved", "exchange", 5),
        "fallbacks": ("apps.live.tasks.enter_fallbacks", "exchange", 3),
    }
    minute, contracts, reviews, fallbacks = (
        PeriodicTask.objects.get(name=scheduled.name) for scheduled in SCHEDULE
    )
    assert (minute.crontab.minute, minute.crontab.hour, str(minute.crontab.timezone)) == ("*", "*", "UTC")
    assert contracts.crontab.minute == "7"
    assert (reviews.interval.every, reviews.interval.period) == (5, "seconds")
    assert (fallbacks.interval.every, fallbacks.interval.period) == (3, "seconds")


def test_every_scheduled_task_exists_and_is_fired_into_its_own_queue() -> None:
    app.loader.import_default_modules()
    for scheduled in SCHEDULE:
        assert scheduled.task in app.tasks
        for _ in range(2):  # Celery takes the answer of a router apart
            assert app.amqp.router.route({}, scheduled.task)["queue"].name == scheduled.queue


def test_migrating_corrects_the_rows_of_an_earlier_version_and_leaves_those_people_added() -> None:
    expected = rows()
    hourly = CrontabSchedule.objects.get(minute="7")
    PeriodicTask.objects.filter(name="minute").update(
        task="apps.mtf.tasks.minute", queue="old", expire_seconds=1, crontab=hourly, enabled=False
    )
    PeriodicTask.objects.filter(name="contracts").update(task="apps.mtf.tasks.contracts")
    PeriodicTask.objects.filter(name="reviews").delete()
    PeriodicTask.objects.create(name="mine", task="somebody.elses", crontab=hourly)

    call_command("migrate", verbosity=0)

    assert rows() == expected | {"mine": ("somebody.elses", None, None)}
    minute = PeriodicTask.objects.get(name="minute")
    assert minute.crontab.minute == "*"
    assert not minute.enabled
    assert CrontabSchedule.objects.filter(minute="7").count() == 1
