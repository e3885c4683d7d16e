from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from apps.engine.values.position import PositionMode
from apps.exchange import venue
from apps.exchange.bitmart.broker import Broker
from apps.exchange.dry import DryBroker


def test_the_simulator_needs_its_address(settings: Settings) -> None:
    settings.VENUE, settings.BITMART_BASE_URL, settings.BITMART_WS_URL = "simulator", "", ""
    assert venue.name() == "simulator"
    with pytest.raises(ImproperlyConfigured, match=r"start the simulator .* BITMART_BASE_URL"):
        venue.current()
    settings.BITMART_BASE_URL = "http://127.0.0.1:1"
    with pytest.raises(ImproperlyConfigured, match="set BITMART_WS_URL"):
        venue.current().streams()


@pytest.mark.parametrize(
    ("name", "base_url", "expected"),
    [
        ("bitmart", "", "https://api-cloud-v2.bitmart.com"),
        ("bitmart", "http://127.0.0.1:9/", "http://127.0.0.1:9"),
        ("simulator", "http://127.0.0.1:9", "http://127.0.0.1:9"),
    ],
)
def test_a_venue_is_met_at_its_own_address_unless_another_is_set(
    settings: Settings, name: str, base_url: str, expected: str
) -> None:
    settings.VENUE, settings.BITMART_BASE_URL = name, base_url
    history = venue.current().history
    assert history._client._base_url == expected  # type: ignore[attr-defined]
    assert venue.current().history is history


@pytest.mark.parametrize(
    ("ws_url", "expected"),
    [
        ("", "wss://openapi-ws-v2.bitmart.com/api?protocol=1.1"),
        ("ws://127.0.0.1:9", "ws://127.0.0.1:9/api?protocol=1.1"),
        ("ws://127.0.0.1:9/user?protocol=1.1", "ws://127.0.0.1:9/api?protocol=1.1"),
    ],
)
def test_candles_come_from_the_public_channel(settings: Settings, ws_url: str, expected: str) -> None:
    settings.VENUE, settings.BITMART_BASE_URL, settings.BITMART_WS_URL = "bitmart", "", ws_url
    streams = venue.current().streams()
    assert streams._url == expected  # type: ignore[attr-defined]
    assert venue.current().streams() is not streams


@pytest.mark.parametrize(("trading", "kind"), [("live", Broker), ("dry", DryBroker), ("anything", DryBroker)])
def test_only_live_trading_has_a_broker_that_sends(settings: Settings, trading: str, kind: type) -> None:
    settings.VENUE, settings.BITMART_BASE_URL, settings.TRADING = "simulator", "http://127.0.0.1:9", trading
    assert type(venue.current().broker) is kind


def test_a_process_has_one_broker_and_each_account_stream_is_new(settings: Settings) -> None:
    settings.VENUE, settings.BITMART_WS_URL, settings.TRADING = "simulator", "ws://127.0.0.1:9/api", "live"
    settings.BITMART_BASE_URL = "http://127.0.0.1:9"
    assert venue.current().broker is venue.current().broker
    stream = venue.current().account_streams()
    assert stream._url == "ws://127.0.0.1:9/user?protocol=1.1"  # type: ignore[attr-defined]
    assert venue.current().account_streams() is not stream


def test_a_dry_account_has_no_news_and_its_equity_is_the_one_set(settings: Settings) -> None:
    settings.VENUE, settings.BITMART_BASE_URL, settings.TRADING = "simulator", "http://127.0.0.1:9", "dry"
    settings.DRY_EQUITY_USDT, settings.POSITION_MODE = Decimal(250), "one_way"
    assert venue.current().broker.account().equity == 250
    assert venue.current().broker.position_mode() is PositionMode.ONE_WAY
    news = venue.current().account_streams()
    iterator = news.account(poll_s=0.01)
    assert next(iterator) is None
    news.close()
    assert list(iterator) == []


def test_a_deployment_that_trades_can_still_plan_without_sending(settings: Settings) -> None:
    settings.VENUE, settings.BITMART_BASE_URL, settings.TRADING = "simulator", "http://127.0.0.1:9", "live"
    assert type(venue.dry().broker) is DryBroker
    assert venue.dry().history is venue.current().history


@pytest.mark.parametrize("name", venue.ADAPTERS)
def test_every_venue_of_the_table_can_be_built_and_states_its_constraints(
    settings: Settings, name: str
) -> None:
    settings.VENUE, settings.BITMART_BASE_URL = name, "http://127.0.0.1:9"
    constraints = venue.current().constraints
    assert constraints.candles_per_request == 499
    assert (constraints.standard_fees.maker, constraints.standard_fees.taker) == (
        Decimal("0.0002"),
        Decimal("0.0006"),
    )


def test_a_request_asks_for_no_more_candles_than_the_venue_allows_and_the_user_does(
    settings: Settings,
) -> None:
    settings.VENUE, settings.BITMART_BASE_URL = "simulator", "http://127.0.0.1:9"
    settings.MTF_MAX_CANDLES_PER_REQUEST = 100
    assert venue.candles_per_request() == 100
    settings.MTF_MAX_CANDLES_PER_REQUEST = 1000
    assert venue.candles_per_request() == 499
