from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("feed", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="streamhealth",
            name="quote_symbols",
            field=models.PositiveIntegerField(
                default=0, help_text="subscribed for quotes: READY or likely to be, resting or held"
            ),
        ),
        migrations.AddField(
            model_name="streamhealth",
            name="last_quote_at",
            field=models.DateTimeField(help_text="when the newest pushed quote was made", null=True),
        ),
    ]
