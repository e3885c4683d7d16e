"""What people reset of the losses, and who may see it.

Every reset becomes an operator action of the audit room, whoever writes it: command or psql. The trigger stands
here because a migration of `audit` that needed this table would bring the groups (switches 0003) before tables
that they are granted.
"""

from django.contrib.auth.management import create_permissions
from django.db import migrations, models

RECORD = """
CREATE FUNCTION record_daily_loss_reset() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO operator_action (happened_at, actor, action, target, reason, extra)
    VALUES (
        NEW.at, NEW.reset_by, 'daily_loss_reset', NEW.account, NEW.reason, jsonb_build_object('reset', NEW.id)
    );
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE TRIGGER daily_loss_reset_made AFTER INSERT ON daily_loss_reset
FOR EACH ROW EXECUTE FUNCTION record_daily_loss_reset()
"""


def grant(apps, schema_editor):
    app_config = apps.get_app_config("orders")
    # Django makes permissions after the last migration; a group needs them now
    app_config.models_module = True
    create_permissions(app_config, apps=apps, verbosity=0)
    app_config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects.using(schema_editor.connection.alias)
    new = permissions.filter(content_type__app_label="orders", content_type__model="dailylossreset")
    shown = new.filter(codename__startswith="view_")
    group = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    for name, granted in (("viewer", shown), ("operator", shown), ("admin", new)):
        group.get(name=name).permissions.add(*granted)


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0003_excursions"),
        ("audit", "0004_reviews"),
    ]

    operations = [
        migrations.CreateModel(
            name="DailyLossReset",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("account", models.TextField()),
                ("at", models.DateTimeField()),
                ("reason", models.TextField()),
                ("reset_by", models.TextField()),
            ],
            options={
                "db_table": "daily_loss_reset",
                "indexes": [models.Index(fields=["-at"], name="daily_loss_reset_newest")],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "at"), name="daily_loss_reset_at"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reason", ""), _negated=True), models.Q(("reset_by", ""), _negated=True)
                        ),
                        name="daily_loss_reset_signed",
                    ),
                ],
            },
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
        migrations.RunSQL(RECORD, "DROP FUNCTION record_daily_loss_reset()"),
        migrations.RunSQL(TRIGGER, "DROP TRIGGER daily_loss_reset_made ON daily_loss_reset"),
    ]
