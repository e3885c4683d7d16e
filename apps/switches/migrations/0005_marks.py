"""A mark says why, and which run judged it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("switches", "0004_pauses")]
    operations = [
        migrations.AddField(
            model_name="symbolqueue",
            name="reason",
            field=models.TextField(default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="symbolqueue",
            name="run_id",
            field=models.UUIDField(null=True),
        ),
    ]
