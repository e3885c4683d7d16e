"""What people want closed, who may see it, and the mark price and unrealised result beside open positions.

Every request becomes an operator action of the audit room, whoever writes it: command, API, admin or psql.
"""

from django.contrib.auth.management import create_permissions
from django.db import migrations, models

import apps.db.enum

RECORD = """
CREATE FUNCTION record_close_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO operator_action (happened_at, actor, action, target, reason, extra)
    VALUES (
        NEW.asked_at, NEW.asked_by, 'close_position', NEW.symbol || ' ' || NEW.side, NEW.reason,
        jsonb_build_object('request', NEW.id, 'account', NEW.account, 'foreign', NEW."foreign")
    );
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE TRIGGER close_request_made AFTER INSERT ON close_request
FOR EACH ROW EXECUTE FUNCTION record_close_request()
"""


def grant(apps, schema_editor):
    app_config = apps.get_app_config("orders")
    # Django makes permissions after the last migration; a group needs them now
    app_config.models_module = True
    create_permissions(app_config, apps=apps, verbosity=0)
    app_config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.using(schema_editor.connection.alias)
    new = permissions.filter(content_type__app_label="orders", content_type__model="closerequest")
    shown = new.filter(codename__startswith="view_")
    group = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    for name, granted in (("viewer", shown), ("operator", shown), ("admin", new)):
        group.get(name=name).permissions.add(*granted)


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0004_loss_resets"),
    ]

    operations = [
        migrations.AddField(
            model_name="position",
            name="mark_price",
            field=models.DecimalField(decimal_places=12, max_digits=28, null=True),
        ),
        migrations.AddField(
            model_name="position",
            name="unrealised_usdt",
            field=models.DecimalField(decimal_places=12, max_digits=28, null=True),
        ),
        migrations.AddField(
            model_name="position",
            name="marked_at",
            field=models.DateTimeField(
                help_text="when mark price and unrealised result were read", null=True
            ),
        ),
        migrations.CreateModel(
            name="CloseRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("account", models.TextField()),
                ("symbol", models.TextField()),
                (
                    "side",
                    apps.db.enum.EnumField(
                        choices=[("long", "long"), ("short", "short")], type_name="position_side"
                    ),
                ),
                ("foreign", models.BooleanField(default=False, help_text="also what we did not open")),
                ("reason", models.TextField()),
                ("asked_by", models.TextField()),
                ("asked_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(null=True)),
                ("outcome", models.TextField(blank=True, default="")),
            ],
            options={
                "db_table": "close_request",
                "indexes": [models.Index(fields=["-asked_at"], name="close_request_newest")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("done_at", None)),
                        fields=("account", "symbol", "side"),
                        name="close_request_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reason", ""), _negated=True),
                            models.Q(("asked_by", ""), _negated=True),
                            models.Q(("symbol", ""), _negated=True),
                        ),
                        name="close_request_signed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("done_at", None), ("outcome", "")),
                            models.Q(("done_at__isnull", False), models.Q(("outcome", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="close_request_ended",
                    ),
                ],
            },
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
        migrations.RunSQL(RECORD, "DROP FUNCTION record_close_request()"),
        migrations.RunSQL(TRIGGER, "DROP TRIGGER close_request_made ON close_request"),
    ]
