"""The kind of a ledger line may be one that we do not know."""

from __future__ import annotations

from django.db import migrations

import apps.db.enum

KINDS = ("transfer", "realised", "funding", "fee", "liquidation", "other")


class Migration(migrations.Migration):
    dependencies = [("orders", "0006_exits"), ("postgres", "0003_other_transactions")]

    operations = [
        migrations.AlterField(
            model_name="accounttransaction",
            name="kind",
            field=apps.db.enum.EnumField(
                choices=[(kind, kind) for kind in KINDS], type_name="transaction_kind"
            ),
        )
    ]
