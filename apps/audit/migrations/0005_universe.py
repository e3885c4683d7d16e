"""Every change of a blacklist entry, and every mark to judge a symbol once, becomes an operator action.

A bulk update or psql that leaves `blacklisted_by` alone is recorded under the author of the change before.
"""

from django.db import migrations

RECORD_BLACKLIST = """
CREATE FUNCTION record_blacklist_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO operator_action (happened_at, actor, action, target, reason, extra)
    VALUES (
        clock_timestamp(),
        CASE WHEN NEW.blacklisted_by <> '' THEN NEW.blacklisted_by ELSE 'database:' || session_user END,
        CASE WHEN NEW.blacklisted_until IS NULL THEN 'blacklist_lifted' ELSE 'blacklisted' END,
        NEW.symbol,
        NEW.blacklist_reason,
        jsonb_build_object('until', NEW.blacklisted_until)
    );
    RETURN NULL;
END $$
"""
BLACKLIST_TRIGGER = """
CREATE TRIGGER contract_blacklist_change AFTER UPDATE OF blacklisted_until ON contracts
FOR EACH ROW WHEN (OLD.blacklisted_until IS DISTINCT FROM NEW.blacklisted_until)
EXECUTE FUNCTION record_blacklist_change()
"""
RECORD_MARK = """
CREATE FUNCTION record_queue_mark() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO operator_action (happened_at, actor, action, target, reason, extra)
    VALUES (
        NEW.asked_at,
        NEW.asked_by,
        'symbol_queued',
        NEW.symbol,
        NEW.reason,
        jsonb_build_object('profile', NEW.profile, 'account', NEW.account)
    );
    RETURN NULL;
END $$
"""
MARK_TRIGGER = """
CREATE TRIGGER symbol_queue_mark AFTER INSERT ON symbol_queue
FOR EACH ROW EXECUTE FUNCTION record_queue_mark()
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_reviews"), ("market", "0002_blacklist"), ("switches", "0005_marks")]
    operations = [
        migrations.RunSQL(RECORD_BLACKLIST, "DROP FUNCTION record_blacklist_change()"),
        migrations.RunSQL(BLACKLIST_TRIGGER, "DROP TRIGGER contract_blacklist_change ON contracts"),
        migrations.RunSQL(RECORD_MARK, "DROP FUNCTION record_queue_mark()"),
        migrations.RunSQL(MARK_TRIGGER, "DROP TRIGGER symbol_queue_mark ON symbol_queue"),
    ]
