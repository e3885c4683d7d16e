"""A symbol's locks that ended lately are looked up at each look."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0009_tranches")]

    operations = [
        migrations.AddIndex(
            model_name="symbollock",
            index=models.Index(fields=["account", "symbol", "released_at"], name="symbol_lock_released"),
        ),
    ]
