"""The enum types all rooms share. Values are only ever added (ALTER TYPE … ADD VALUE)."""

from django.db import migrations

TYPES = {
    "timeframe": ("1m", "5m", "15m", "1h", "4h", "1d"),
    "candle_source": ("WS", "REST", "ROLLUP", "EMPTY", "FILE"),
    "signal_side": ("LONG", "SHORT", "NONE"),
    "phase": ("context", "execution"),
    "run_status": ("running", "decided", "failed", "skipped", "lost"),
    "run_trigger": ("beat", "api", "command"),
    "severity": ("info", "warning", "error"),
}


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.RunSQL(
            f"CREATE TYPE {name} AS ENUM ({', '.join(repr(value) for value in values)})",
            f"DROP TYPE {name}",
        )
        for name, values in TYPES.items()
    ]
