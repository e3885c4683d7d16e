"""Every table the admin shows, and the addresses of its pages."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse

from apps.switches.models import MtfSwitch

SHOWN = sorted(admin.site._registry, key=lambda model: model._meta.label)
PEOPLES_APPS = {"django_celery_beat", "auth"}


def made_by_people(model: type[Model]) -> bool:
    """Whether people may add rows; the house writes all others."""
    return model is MtfSwitch or model._meta.app_label in PEOPLES_APPS


def place(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)
