"""The web process's entry: `uvicorn tradingv3.asgi:application`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradingv3.settings")

application = get_asgi_application()
