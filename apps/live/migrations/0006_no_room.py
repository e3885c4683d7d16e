from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mtf", "0005_unknown_symbols")]

    operations = [
        migrations.AddField(
            model_name="mtfrun",
            name="no_room",
            field=models.JSONField(
                default=list,
                help_text="READY symbols that were not tried: the account had no room for so many",
            ),
        )
    ]
