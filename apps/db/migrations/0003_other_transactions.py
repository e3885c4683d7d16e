"""A line of the exchange's ledger whose kind we do not know is stored as what it is: money that moved."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("postgres", "0002_trading_enums")]

    operations = [
        migrations.RunSQL(
            "ALTER TYPE transaction_kind ADD VALUE IF NOT EXISTS 'other'",
            migrations.RunSQL.noop,  # PostgreSQL takes no value out of a type
        )
    ]
