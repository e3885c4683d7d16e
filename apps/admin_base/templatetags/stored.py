"""`plain` for templates: {% load stored %} … {{ plan.size|plain }}."""

from __future__ import annotations

from django import template

from apps.admin_base.format import plain

register = template.Library()
register.filter(plain)
