"""The Celery application: two queues, `mtf` (one solo worker) and `exchange` (rate-limited calls)."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradingv3.settings")

app = Celery("tradingv3")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
