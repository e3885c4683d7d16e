"""Who changed a blacklist entry, and the faults that make one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("market", "0001_initial")]
    operations = [
        migrations.AddField(
            model_name="contract",
            name="blacklisted_by",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.CreateModel(
            name="ContractFault",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("symbol", models.TextField()),
                ("kind", models.TextField(help_text="where it failed: judge or entry")),
                ("detail", models.TextField()),
                ("happened_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "contract fault",
                "db_table": "contract_fault",
                "ordering": ["-happened_at"],
                "indexes": [models.Index(fields=["symbol", "kind"], name="contract_fault_symbol")],
            },
        ),
    ]
