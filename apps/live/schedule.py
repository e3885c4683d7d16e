"""What beat fires, as one table: after each migrate, django-celery-beat's rows are written from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask


@dataclass(frozen=True, slots=True)
class ScheduledTask:
    """One periodic task: at each `minute` of a crontab, or every `every_s` seconds; always in UTC.

    `name` identifies its row and never changes; a message older than `expires_s` is dropped.
    """

    name: str
    task: str
    queue: str
    expires_s: int
    description: str
    minute: str | None = None
    every_s: int | None = None


SCHEDULE = (
    ScheduledTask(
        name="minute",
        task="apps.live.tasks.judge_minute",
        queue="mtf",
        minute="*",
        expires_s=55,
        description=(
            "Judges the minute just over. Missed ticks fired late are harmless: the minute is claimed once."
        ),
    ),
    ScheduledTask(
        name="contracts",
        task="apps.live.tasks.sync_contracts",
        queue="exchange",
        minute="7",
        expires_s=1800,
        description="Fetches the venue's contracts.",
    ),
    ScheduledTask(
        name="reviews",
        task="apps.live.tasks.enter_approved",
        queue="exchange",
        every_s=5,
        expires_s=5,
        description="Enters the order plans that a person approved.",
    ),
    ScheduledTask(
        name="fallbacks",
        task="apps.live.tasks.enter_fallbacks",
        queue="exchange",
        every_s=3,
        expires_s=3,
        description="Takes from the book what resting entries left unfilled at the end of their time.",
    ),
)


def sync_schedule(*, apps: Apps = installed, **_: Any) -> None:
    """Create our rows, and correct those that an earlier version left; rows people added stay as they are.

    A receiver of post_migrate. A row that a person disabled stays disabled. Messages queued under an earlier
    version's task names need no alias: they expire within the minute, and the next one is judged.
    """
    try:
        apps.get_model("django_celery_beat", "PeriodicTask")
    except LookupError:  # another app was migrated alone: the tables are not there yet
        return
    for scheduled in SCHEDULE:
        when: dict[str, Any] = {"crontab": None, "interval": None, "solar": None, "clocked": None}
        if scheduled.minute is not None:
            crontab = {"minute": scheduled.minute, "hour": "*", "day_of_month": "*", "month_of_year": "*"}
            crontab |= {"day_of_week": "*", "timezone": "UTC"}
            same = CrontabSchedule.objects.filter(**crontab).first()  # not unique: people may add the same
            when["crontab"] = same or CrontabSchedule.objects.create(**crontab)
        else:
            interval = {"every": scheduled.every_s, "period": IntervalSchedule.SECONDS}
            same = IntervalSchedule.objects.filter(**interval).first()
            when["interval"] = same or IntervalSchedule.objects.create(**interval)
        columns = {
            "task": scheduled.task,
            "queue": scheduled.queue,
            "expire_seconds": scheduled.expires_s,
            "description": scheduled.description,
        }
        PeriodicTask.objects.update_or_create(name=scheduled.name, defaults=columns | when)
