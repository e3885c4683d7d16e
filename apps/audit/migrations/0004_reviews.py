"""Every answer to a plan becomes an operator action, whoever writes it: admin, API or psql."""

from django.db import migrations

RECORD = """
CREATE FUNCTION record_plan_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO operator_action (happened_at, actor, action, target, reason, extra)
    VALUES (
        NEW.reviewed_at,
        NEW.reviewed_by,
        CASE WHEN NEW.status = 'APPROVED' THEN 'plan_approved' ELSE 'plan_rejected' END,
        NEW.decision_key,
        NEW.reason,
        jsonb_build_object('plan', NEW.id, 'account', NEW.account)
    );
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE TRIGGER order_plan_review AFTER UPDATE OF reviewed_at ON order_plan
FOR EACH ROW WHEN (OLD.reviewed_at IS DISTINCT FROM NEW.reviewed_at)
EXECUTE FUNCTION record_plan_review()
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_trades"), ("orders", "0001_initial")]
    operations = [
        migrations.RunSQL(RECORD, "DROP FUNCTION record_plan_review()"),
        migrations.RunSQL(TRIGGER, "DROP TRIGGER order_plan_review ON order_plan"),
    ]
