"""Every table the admin shows, and the addresses of its pages."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse

SHOWN = sorted(admin.site._registry, key=lambda model: model._meta.label)
MADE_BY_PEOPLE = {"switches", "django_celery_beat", "auth"}
"""Apps whose rows people may add; the house writes all others."""


def place(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)
