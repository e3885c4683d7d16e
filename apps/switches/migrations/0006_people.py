"""Who may see the faults of contracts, mark a symbol to be judged once, and lift a contract's blacklist entry."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

ROOMS = ("market", "switches", "mtf")
"""Also mtf: whether its later tables were granted depended on the order in which migrations happened to run."""


def grant(apps, schema_editor):
    for label in ROOMS:
        _make_permissions(apps, label)
    permissions = apps.get_model("auth", "Permission").objects.using(schema_editor.connection.alias)
    ours = permissions.filter(content_type__app_label__in=ROOMS)
    shown = ours.filter(codename__startswith="view_")
    acting = ours.filter(codename__in=("add_symbolqueue", "change_contract"))
    group = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    for name, granted in (("viewer", shown), ("operator", shown | acting), ("admin", ours)):
        group.get(name=name).permissions.add(*granted)


def _make_permissions(apps, label):
    """Django makes permissions after the last migration; a group needs them now."""
    app_config = apps.get_app_config(label)
    app_config.models_module = True
    create_permissions(app_config, apps=apps, verbosity=0)
    app_config.models_module = None


class Migration(migrations.Migration):
    dependencies = [
        ("switches", "0005_marks"),
        ("market", "0002_blacklist"),
        ("mtf", "0003_watch"),
        ("orders", "0002_people"),
    ]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
