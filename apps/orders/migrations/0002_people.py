"""Who may see the tables of trading, and who may answer a plan that waits for a review."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

TABLES = {
    "orders": None,
    "switches": ("cooldown", "symbolqueue"),
    "audit": ("tradelifecycleevent", "tradezoneevent"),
}
"""App → its new tables; None is all of them."""


def grant(apps, schema_editor):
    for label in TABLES:
        _make_permissions(apps, label)
    permissions = apps.get_model("auth", "Permission").objects.using(schema_editor.connection.alias)
    ids = []
    for label, models in TABLES.items():
        ours = permissions.filter(content_type__app_label=label)
        ids += (ours if models is None else ours.filter(content_type__model__in=models)).values_list(
            "pk", flat=True
        )
    new = permissions.filter(pk__in=ids)
    shown = new.filter(codename__startswith="view_")
    group = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    for name, granted in (
        ("viewer", shown),
        ("operator", shown | new.filter(codename="review_orderplan")),
        ("admin", new),
    ):
        group.get(name=name).permissions.add(*granted)


def _make_permissions(apps, label):
    """Django makes permissions after the last migration; a group needs them now."""
    app_config = apps.get_app_config(label)
    app_config.models_module = True
    create_permissions(app_config, apps=apps, verbosity=0)
    app_config.models_module = None


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0001_initial"),
        ("switches", "0004_pauses"),
        ("audit", "0003_trades"),
    ]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
