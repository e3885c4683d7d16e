"""A decision may rest as several orders."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("orders", "0008_fallbacks")]

    operations = [
        migrations.AddField(
            model_name="exchangeorder",
            name="tranche",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="from 0, nearest to the market first"
            ),
        ),
        migrations.AddField(
            model_name="exchangeorder",
            name="tranches",
            field=models.PositiveSmallIntegerField(default=1, help_text="of its decision"),
        ),
        migrations.AddConstraint(
            model_name="exchangeorder",
            constraint=models.UniqueConstraint(
                name="exchange_order_attempt",
                fields=["plan", "tranche", "attempt"],
                condition=Q(plan__isnull=False),
            ),
        ),
        migrations.AddConstraint(
            model_name="exchangeorder",
            constraint=models.CheckConstraint(
                name="exchange_order_tranche", condition=Q(tranche__lt=F("tranches"))
            ),
        ),
    ]
