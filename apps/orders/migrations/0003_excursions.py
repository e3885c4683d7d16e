"""How far the market went for and against each closed position."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0002_people"),
    ]

    operations = [
        migrations.AddField(
            model_name="position",
            name="best_price",
            field=models.DecimalField(decimal_places=12, max_digits=28, null=True),
        ),
        migrations.AddField(
            model_name="position",
            name="mae_pct",
            field=models.DecimalField(decimal_places=4, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name="position",
            name="mae_r",
            field=models.DecimalField(decimal_places=4, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name="position",
            name="mfe_pct",
            field=models.DecimalField(decimal_places=4, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name="position",
            name="mfe_r",
            field=models.DecimalField(decimal_places=4, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name="position",
            name="worst_price",
            field=models.DecimalField(decimal_places=12, max_digits=28, null=True),
        ),
        migrations.AddConstraint(
            model_name="position",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("best_price", None),
                        ("mae_pct", None),
                        ("mae_r", None),
                        ("mfe_pct", None),
                        ("mfe_r", None),
                        ("worst_price", None),
                    ),
                    models.Q(
                        ("best_price__isnull", False),
                        ("mae_pct__gte", 0),
                        ("mae_pct__isnull", False),
                        ("mfe_pct__gte", 0),
                        ("mfe_pct__isnull", False),
                        ("worst_price__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="position_excursion",
            ),
        ),
    ]
