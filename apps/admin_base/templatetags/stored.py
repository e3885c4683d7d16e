"""`plain` for templates."""

from __future__ import annotations

from django import template

from apps.admin_base.numbers import plain

register = template.Library()
register.filter(plain)
