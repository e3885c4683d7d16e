"""Admin pages that know more than one room, and the tables of Django and Celery in the house's dress."""

from apps.console.admin import people, plan, schedule, switch

__all__ = ["people", "plan", "schedule", "switch"]
