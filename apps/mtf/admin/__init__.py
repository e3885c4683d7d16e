"""The desk's own tables, and those of Django and Celery in the house's dress."""

from apps.mtf.admin import people, run, schedule, watch

__all__ = ["people", "run", "schedule", "watch"]
