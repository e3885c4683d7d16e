"""Three groups of people: viewers look, operators also turn switches and ask for runs, admins do everything."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

ROOMS = ("market", "profiles", "signals", "switches", "audit", "feed", "mtf")
SCHEDULE = "django_celery_beat"
PEOPLE = ("auth", "authtoken")
OPERATOR_MAY = ("add_mtfswitch", "change_mtfswitch", "add_mtfrun")


def make_groups(apps, schema_editor):
    for label in (*ROOMS, SCHEDULE, *PEOPLE):
        _make_permissions(apps, label)
    permissions = apps.get_model("auth", "Permission").objects.using(schema_editor.connection.alias)
    shown = permissions.filter(content_type__app_label__in=(*ROOMS, SCHEDULE), codename__startswith="view_")
    acting = permissions.filter(content_type__app_label__in=ROOMS, codename__in=OPERATOR_MAY)
    everything = permissions.filter(content_type__app_label__in=(*ROOMS, SCHEDULE, *PEOPLE))
    group = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    for name, granted in (
        ("viewer", shown),
        ("operator", shown | acting),
        ("admin", everything),
    ):
        group.get_or_create(name=name)[0].permissions.add(*granted)


def _make_permissions(apps, label):
    """Django makes permissions after the last migration; a group needs them now."""
    app_config = apps.get_app_config(label)
    app_config.models_module = True
    create_permissions(app_config, apps=apps, verbosity=0)
    app_config.models_module = None


def drop_groups(apps, _):
    apps.get_model("auth", "Group").objects.filter(name__in=("viewer", "operator", "admin")).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("switches", "0002_global"),
        ("market", "0001_initial"),
        ("profiles", "0001_initial"),
        ("signals", "0001_initial"),
        ("audit", "0001_initial"),
        ("feed", "0001_initial"),
        ("mtf", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("authtoken", "0004_alter_tokenproxy_options"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(make_groups, drop_groups)]
