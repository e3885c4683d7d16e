from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from apps.exchange import venue


@pytest.fixture(autouse=True)
def forget() -> None:
    venue._history.cache_clear()


def test_the_simulator_needs_its_address(settings: Settings) -> None:
    settings.VENUE, settings.BITMART_BASE_URL, settings.BITMART_WS_URL = "simulator", "", ""
    assert venue.name() == "simulator"
    with pytest.raises(ImproperlyConfigured, match=r"start the simulator .* BITMART_BASE_URL"):
        venue.history()
    settings.BITMART_BASE_URL = "http://127.0.0.1:1"
    with pytest.raises(ImproperlyConfigured, match="set BITMART_WS_URL"):
        venue.streams()


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
    history = venue.history()
    assert history._client._base_url == expected  # type: ignore[attr-defined]
    assert venue.history() is history


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
    streams = venue.streams()
    assert streams._url == expected  # type: ignore[attr-defined]
    assert venue.streams() is not streams
