"""Everything that is known of one symbol around a moment, as one JSON document."""

from apps.insight.export.document import SCHEMA, BadWindow, export

__all__ = ["SCHEMA", "BadWindow", "export"]
