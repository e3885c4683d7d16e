"""The roof: settings, URLs, ASGI and Celery. It imports the apps; nobody imports it."""

from tradingv3.celery import app as celery_app

__all__ = ["celery_app"]
