"""Every change of a kill switch becomes an operator action, whoever makes it: admin, API, command or psql.

The author is the row's `changed_by`. A change that leaves `updated_at` alone was not signed by the house (a bulk
update, psql): it is recorded under the database role, never under the author of the change before.
"""

from django.db import migrations

RECORD = """
CREATE FUNCTION record_switch_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    switch mtf_switch;
    signed boolean := TG_OP = 'INSERT';
    done text;
BEGIN
    IF TG_OP = 'DELETE' THEN
        switch := OLD;
        done := 'switch_deleted';
    ELSE
        switch := NEW;
        IF TG_OP = 'UPDATE' THEN
            IF (OLD.switch_key, OLD.is_on, OLD.reason, OLD.expires_at)
               IS NOT DISTINCT FROM (NEW.switch_key, NEW.is_on, NEW.reason, NEW.expires_at) THEN
                RETURN NULL;
            END IF;
            signed := NEW.updated_at <> OLD.updated_at;
        END IF;
        done := CASE WHEN NEW.is_on THEN 'switch_on' ELSE 'switch_off' END;
    END IF;
    INSERT INTO operator_action (happened_at, actor, action, target, reason, extra)
    VALUES (
        clock_timestamp(),
        CASE WHEN signed AND switch.changed_by <> '' THEN switch.changed_by ELSE 'database:' || session_user END,
        done,
        switch.switch_key,
        switch.reason,
        jsonb_build_object('expires_at', switch.expires_at)
    );
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE TRIGGER mtf_switch_change AFTER INSERT OR UPDATE OR DELETE ON mtf_switch
FOR EACH ROW EXECUTE FUNCTION record_switch_change()
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial"), ("switches", "0002_global")]
    operations = [
        migrations.RunSQL(RECORD, "DROP FUNCTION record_switch_change()"),
        migrations.RunSQL(TRIGGER, "DROP TRIGGER mtf_switch_change ON mtf_switch"),
    ]
