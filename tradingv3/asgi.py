"""The web process's entry: `uvicorn tradingv3.asgi:application`.

Each request runs in a thread of its own and any number at once: they share a bounded pool of connections, so
that readers cannot take those of trading.
"""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradingv3.settings")

database = settings.DATABASES["default"]
database["CONN_MAX_AGE"] = 0  # back to the pool after each request
options = {"application_name": "web", **database.get("OPTIONS", {})}  # as pg_stat_activity shows it
database["OPTIONS"] = options | {"pool": settings.WEB_POOL}

application = get_asgi_application()
