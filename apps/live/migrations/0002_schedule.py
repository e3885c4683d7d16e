"""What beat fires: the minute, and the contracts' hourly refresh."""

from django.db import migrations

MINUTE = "minute"
CONTRACTS = "contracts"


def schedule(apps, _):
    crontab = apps.get_model("django_celery_beat", "CrontabSchedule")
    task = apps.get_model("django_celery_beat", "PeriodicTask")
    each_minute = crontab.objects.create(minute="*", timezone="UTC")
    hourly = crontab.objects.create(minute="7", timezone="UTC")
    task.objects.create(
        name=MINUTE,
        task="apps.mtf.tasks.minute",
        crontab=each_minute,
        queue="mtf",
        expire_seconds=55,
        description="Judges the minute just over. Missed ticks fired late are harmless: the minute is claimed once.",
    )
    task.objects.create(
        name=CONTRACTS,
        task="apps.mtf.tasks.contracts",
        crontab=hourly,
        queue="exchange",
        expire_seconds=1800,
        description="Fetches the venue's contracts.",
    )


def unschedule(apps, _):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name__in=[MINUTE, CONTRACTS]).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("mtf", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(schedule, unschedule)]
