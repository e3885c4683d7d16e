"""The only file that knows VENUE and TRADING: it gives everyone else the right adapter."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.engine import ports
from apps.exchange.bitmart.candles import History
from apps.exchange.bitmart.client import Client
from apps.exchange.bitmart.limits import Limits
from apps.exchange.bitmart.pace import Pace
from apps.exchange.bitmart.streams import Streams

BITMART_BASE_URL = "https://api-cloud-v2.bitmart.com"
BITMART_WS_URL = "wss://openapi-ws-v2.bitmart.com"


def name() -> str:
    """What we trade on: simulator or bitmart."""
    return str(settings.VENUE)


def history() -> ports.CandleHistory:
    """Past candles and contracts; one per process, safe to share between threads."""
    return _history(_url("BITMART_BASE_URL", BITMART_BASE_URL))


def streams() -> ports.Streams:
    """A new stream of pushes."""
    sizes = _history(_url("BITMART_BASE_URL", BITMART_BASE_URL)).contract_size
    return Streams(_url("BITMART_WS_URL", BITMART_WS_URL), sizes)


@cache
def _history(base_url: str) -> History:
    ceiling = Pace(
        settings.MTF_RATE_LIMIT_CAPACITY,
        settings.MTF_RATE_LIMIT_REFILL_RATE / settings.MTF_RATE_LIMIT_REFILL_INTERVAL,
    )
    limits = Limits(settings.REDIS_URL, urlsplit(base_url).netloc, ceiling=ceiling)
    return History(Client(base_url, limits))


def _url(variable: str, real: str) -> str:
    """The address that is set, else the venue's own; a simulator has none until it is started."""
    given = getattr(settings, variable)
    if given:
        return str(given)
    if settings.VENUE == "bitmart":
        return real
    raise ImproperlyConfigured(
        f"VENUE is {settings.VENUE} and {variable} is empty: start the simulator (./run demo does, or "
        f"manage.py simulator) and set {variable} to the address it prints; or choose VENUE=bitmart"
    )
