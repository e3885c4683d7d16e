"""The only file that knows VENUE and TRADING: it gives everyone else the right adapter."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.engine import ports
from apps.engine.values.position import PositionMode
from apps.exchange.bitmart.account_stream import AccountStream
from apps.exchange.bitmart.broker import Broker
from apps.exchange.bitmart.candles import History
from apps.exchange.bitmart.client import Client
from apps.exchange.bitmart.limits import Limits
from apps.exchange.bitmart.pace import Pace
from apps.exchange.bitmart.reader import PATIENCE
from apps.exchange.bitmart.routes import KLINE_NOW
from apps.exchange.bitmart.signing import Credentials
from apps.exchange.bitmart.streams import Streams
from apps.exchange.bitmart.trading import Trading
from apps.exchange.dry import DryBroker, NoNews

BITMART_BASE_URL = "https://api-cloud-v2.bitmart.com"
BITMART_WS_URL = "wss://openapi-ws-v2.bitmart.com"


def name() -> str:
    """What we trade on: simulator or bitmart."""
    return str(settings.VENUE)


def account() -> str:
    """What the account we trade is called in the books: one deployment trades one."""
    return f"{settings.VENUE}:{settings.TRADING}"


def history() -> ports.CandleHistory:
    """Past candles and contracts; one per process, safe to share between threads."""
    return _history(_url("BITMART_BASE_URL", BITMART_BASE_URL))


def prompt_history() -> ports.CandleHistory:
    """The same for who decides now: goes before the bulk reads, and gives up what takes seconds."""
    return _prompt_history(_url("BITMART_BASE_URL", BITMART_BASE_URL))


def streams() -> ports.Streams:
    """A new stream of pushes."""
    sizes = _history(_url("BITMART_BASE_URL", BITMART_BASE_URL)).contract_size
    return Streams(_url("BITMART_WS_URL", BITMART_WS_URL), sizes)


def broker() -> ports.Broker:
    """The account we trade; one per process, safe to share between threads. In dry runs it sends nothing."""
    return dry_broker() if is_dry() else _broker(_url("BITMART_BASE_URL", BITMART_BASE_URL))


def dry_broker() -> ports.Broker:
    """A broker that sends nothing, whatever this deployment may do."""
    found = _broker(_url("BITMART_BASE_URL", BITMART_BASE_URL))
    return _dry(found, settings.DRY_EQUITY_USDT, position_mode())


def is_dry() -> bool:
    """Whether this deployment sends no orders: anything but live."""
    return bool(settings.TRADING != "live")


def account_streams() -> ports.AccountStreams:
    """A new stream of the account's pushes; a dry account has none."""
    return NoNews() if is_dry() else AccountStream(_url("BITMART_WS_URL", BITMART_WS_URL), _credentials())


def position_mode() -> PositionMode:
    """The mode the account shall have."""
    return PositionMode(settings.POSITION_MODE)


@cache
def _history(base_url: str) -> History:
    return History(Client(base_url, _limits(base_url)))


@cache
def _prompt_history(base_url: str) -> History:
    return History(Client(base_url, _limits(base_url), patience=PATIENCE), KLINE_NOW)


@cache
def _broker(base_url: str) -> Broker:
    limits, credentials = _limits(base_url), _credentials()
    client = Client(base_url, limits, key=credentials.key, patience=PATIENCE)
    return Broker(client, Trading(base_url, limits, credentials))


@cache
def _dry(found: Broker, equity: Decimal, mode: PositionMode) -> DryBroker:
    return DryBroker(found, equity, mode)


@cache
def _limits(base_url: str) -> Limits:
    ceiling = Pace(
        settings.MTF_RATE_LIMIT_CAPACITY,
        settings.MTF_RATE_LIMIT_REFILL_RATE / settings.MTF_RATE_LIMIT_REFILL_INTERVAL,
    )
    return Limits(settings.REDIS_URL, urlsplit(base_url).netloc, ceiling=ceiling)


def _credentials() -> Credentials:
    return Credentials(settings.BITMART_API_KEY, settings.BITMART_SECRET_KEY, settings.BITMART_API_MEMO)


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
