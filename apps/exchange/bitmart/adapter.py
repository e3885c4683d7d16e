"""BitMart as a venue: its addresses, its constraints, and the objects that speak with it."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import urlsplit

from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured

from apps.engine.ports.account import AccountStreams as AccountStreamsPort
from apps.engine.ports.market import QuoteStreams as QuoteStreamsPort
from apps.engine.ports.market import Streams as StreamsPort
from apps.engine.ports.venue import Venue
from apps.engine.values.position import FeeRates
from apps.engine.values.venue import VenueConstraints
from apps.exchange.bitmart.account_stream import AccountStream
from apps.exchange.bitmart.broker import Broker
from apps.exchange.bitmart.broker_reader import PATIENCE
from apps.exchange.bitmart.candle_stream import CandleStream
from apps.exchange.bitmart.history import PAGE, History
from apps.exchange.bitmart.order_client import OrderClient
from apps.exchange.bitmart.quote_stream import QuoteStream
from apps.exchange.bitmart.read_client import ReadClient
from apps.exchange.bitmart.routes import KLINE_NOW
from apps.exchange.bitmart.signing import Credentials
from apps.exchange.transport.clock import ServerClock
from apps.exchange.transport.rate import Rate
from apps.exchange.transport.rate_limiter import RateLimiter

ADDRESSES = {
    "BITMART_BASE_URL": "https://api-cloud-v2.bitmart.com",
    "BITMART_WS_URL": "wss://openapi-ws-v2.bitmart.com",
}
CONSTRAINTS = VenueConstraints(
    signature_valid_s=70,  # 60 s by the documentation, and 10 s for the way there and two clocks
    answer_s=5,  # an order connection waits 1 s for its connection and 3 s for the answer
    candles_per_request=PAGE,
    fee_reads_apart_s=3.0,  # the exchange tells the rates of one symbol every 2 s
    standard_fees=FeeRates(maker=Decimal("0.0002"), taker=Decimal("0.0006")),
)


def build(settings: LazySettings) -> Venue:
    """Return BitMart, met at its own addresses unless others are set; nothing is connected yet."""
    return _venue(settings, ADDRESSES)


def build_simulator(settings: LazySettings) -> Venue:
    """Return the local exchange that speaks BitMart's protocol. ImproperlyConfigured without its address."""
    return _venue(settings, {})


def _venue(settings: LazySettings, addresses: dict[str, str]) -> Venue:
    def address(variable: str) -> str:
        if url := getattr(settings, variable) or addresses.get(variable):
            return str(url)
        raise ImproperlyConfigured(
            f"VENUE is {settings.VENUE} and {variable} is empty: start the simulator (./run demo does, or "
            f"manage.py simulator) and set {variable} to the address it prints; or choose VENUE=bitmart"
        )

    base_url = address("BITMART_BASE_URL")
    credentials = Credentials(
        settings.BITMART_API_KEY, settings.BITMART_SECRET_KEY, settings.BITMART_API_MEMO
    )
    ceiling = Rate(
        settings.MTF_RATE_LIMIT_CAPACITY,
        settings.MTF_RATE_LIMIT_REFILL_RATE / settings.MTF_RATE_LIMIT_REFILL_INTERVAL,
    )
    limiter = RateLimiter(settings.REDIS_URL, f"bitmart:{urlsplit(base_url).netloc}", ceiling=ceiling)
    history = History(ReadClient(base_url, limiter))
    prompt_client = ReadClient(base_url, limiter, patience=PATIENCE)
    server_clock = ServerClock(prompt_client.read_clock)

    def streams() -> StreamsPort:
        return CandleStream(address("BITMART_WS_URL"), history.contract_size)

    def account_streams() -> AccountStreamsPort:
        return AccountStream(address("BITMART_WS_URL"), credentials)

    def quote_streams() -> QuoteStreamsPort:
        return QuoteStream(address("BITMART_WS_URL"), server_clock.at_least)

    return Venue(
        constraints=CONSTRAINTS,
        broker=Broker(
            ReadClient(base_url, limiter, key=credentials.key, patience=PATIENCE),
            OrderClient(base_url, limiter, credentials),
        ),
        history=history,
        prompt_history=History(prompt_client, KLINE_NOW),
        streams=streams,
        account_streams=account_streams,
        quote_streams=quote_streams,
    )
