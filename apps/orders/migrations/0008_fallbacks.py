"""How an entry is sent and when it is taken back, and until when its rest may be sent anew."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0007_other_transactions"),
    ]

    operations = [
        migrations.AddField(
            model_name="exchangeorder",
            name="entry_json",
            field=models.JSONField(default=dict, help_text="how it is sent, and when it is taken back"),
        ),
        migrations.AddField(
            model_name="exchangeorder",
            name="fallback_before",
            field=models.DateTimeField(
                help_text="until when its rest may be sent anew; sent_at: given up; NULL: it never was to be",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="exchangeorder",
            index=models.Index(
                condition=models.Q(("fallback_before__isnull", False)),
                fields=["account", "fallback_before"],
                name="exchange_order_fallback",
            ),
        ),
    ]
