"""The GLOBAL switch is a row from the beginning, so that there is one to turn off."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("switches", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "INSERT INTO mtf_switch (switch_key, is_on, reason, changed_by, created_at, updated_at) "
            "VALUES ('GLOBAL', true, 'first start', 'migration', now(), now()) "
            "ON CONFLICT (switch_key) DO NOTHING",
            migrations.RunSQL.noop,
        ),
    ]
