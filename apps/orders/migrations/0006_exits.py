"""How a position is left besides at its stop and target, and how far that has come."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0005_close_requests"),
    ]

    operations = [
        migrations.AddField(
            model_name="exchangeorder",
            name="exit_json",
            field=models.JSONField(default=dict, help_text="the rules by which it is left, as planned"),
        ),
        migrations.AddField(
            model_name="position",
            name="exit_json",
            field=models.JSONField(default=dict, help_text="the rules by which it is left, as planned"),
        ),
        migrations.AddField(
            model_name="position",
            name="first_target_asked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="position",
            name="first_targets_asked",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="position",
            name="next_stop_price",
            field=models.DecimalField(
                decimal_places=12, max_digits=28, null=True, help_text="a tighter stop that was asked for"
            ),
        ),
        migrations.AddField(
            model_name="position",
            name="recalculated_at",
            field=models.DateTimeField(null=True, help_text="when its stop was last reckoned anew"),
        ),
    ]
