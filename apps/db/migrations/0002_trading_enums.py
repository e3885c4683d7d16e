"""The enum types of trading. Values are only ever added (ALTER TYPE … ADD VALUE)."""

from django.db import migrations

TYPES = {
    "position_side": ("long", "short"),
    "order_status": (
        "PLANNED",
        "PENDING_REVIEW",
        "APPROVED",
        "SUBMITTING",
        "UNKNOWN",
        "NEVER_ARRIVED",
        "SUBMITTED",
        "PARTIALLY_FILLED",
        "FILLED",
        "CANCELLED",
        "EXPIRED",
        "REJECTED",
        "DENIED",
    ),
    "position_status": ("OPENING", "NAKED", "PROTECTED", "CLOSING", "CLOSED", "FOREIGN"),
    "protection_kind": ("stop", "target"),
    "protection_status": ("PLACING", "ACTIVE", "REPLACING", "TRIGGERED", "CANCELLED", "LOST"),
    "transaction_kind": ("transfer", "realised", "funding", "fee", "liquidation"),
    "zone_category": ("close_to_threshold", "moderate_gap", "far_outside"),
}


class Migration(migrations.Migration):
    dependencies = [("postgres", "0001_enums")]
    operations = [
        migrations.RunSQL(
            f"CREATE TYPE {name} AS ENUM ({', '.join(repr(value) for value in values)})",
            f"DROP TYPE {name}",
        )
        for name, values in TYPES.items()
    ]
