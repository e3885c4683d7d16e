"""The desk's own tables, its switches, and the tables of Django and Celery in the house's dress."""

from apps.mtf.admin import people, plan, run, schedule, switch, watch

__all__ = ["people", "plan", "run", "schedule", "switch", "watch"]
