from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mtf", "0004_reviews")]

    operations = [
        migrations.AddField(
            model_name="watchstate",
            name="unknown",
            field=models.JSONField(default=list, help_text="symbols that could not be read or explained"),
        )
    ]
