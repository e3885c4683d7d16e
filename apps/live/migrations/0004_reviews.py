"""What beat fires for reviewed plans: every few seconds, so that an approval is acted upon while it is fresh."""

from django.db import migrations

REVIEWS = "reviews"


def schedule(apps, _):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    task = apps.get_model("django_celery_beat", "PeriodicTask")
    each_5_s, _ = interval.objects.get_or_create(every=5, period="seconds")
    task.objects.create(
        name=REVIEWS,
        task="apps.mtf.tasks.reviews",
        interval=each_5_s,
        queue="exchange",
        expire_seconds=5,
        description="Enters the order plans that a person approved.",
    )


def unschedule(apps, _):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=REVIEWS).delete()


class Migration(migrations.Migration):
    dependencies = [("mtf", "0003_watch")]
    operations = [migrations.RunPython(schedule, unschedule)]
