"""A desk around a real local exchange: stored candles, a profile that is always ready, and its books."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from pytest_django import Settings

from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.exchange import venue
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.server import running
from apps.feed.announcement import redis_client
from apps.live.minute import run_minute
from apps.live.models import MtfRun, WatchState
from apps.live.recorder import RunRecorder
from apps.live.windows import Warm
from apps.market import store as market
from apps.profiles import store as profiles
from benchmarks.trading.always import loaded
from tests.factories import WatchStateFactory

SYMBOL = "BTCUSDT"


class Desk:
    """The exchange, and what the evaluating worker does over its candles."""

    def __init__(self, address: str, archive: Archive, symbols: Sequence[str]) -> None:
        self.address, self.archive, self.symbols = address, archive, tuple(symbols)
        self.at = Timeframe.M1.floor(datetime.now(UTC))
        market.save_contracts(venue.current().history.contracts(), self.at)
        for symbol in symbols:
            for timeframe, length in WINDOW.items():
                end = timeframe.floor(self.at)
                start = end - length * timeframe.duration
                market.save_candles(archive.candles(symbol, timeframe, start, end))
        self._began = datetime.now(UTC)
        self.watched()

    def clock(self) -> datetime:
        """Ours: begins 2 s after the newest stored minute, whatever the second is, and runs."""
        return self.at + timedelta(seconds=2) + (datetime.now(UTC) - self._began)

    def watched(self, **changes: Any) -> None:
        """As `watch` leaves it: read and reconciled just now."""
        WatchState.objects.filter(account=venue.account()).delete()
        WatchStateFactory.create(account=venue.account(), now=datetime.now(UTC), **changes)

    def decide(self, *contents: dict[str, Any]) -> list[MtfRun]:
        """The newest stored minute judged (again) by these profiles, in their order; its runs."""
        loaded_profiles = [loaded(content) for content in contents]
        for each in loaded_profiles:
            profiles.save_version(each)
        warm = Warm(self.symbols, loaded_profiles)
        MtfRun.objects.filter(minute=self.at).delete()
        return run_minute(
            self.at,
            profiles=loaded_profiles,
            warm=warm,
            recorder=RunRecorder(),
            client=redis_client(),
            now=self.clock(),
        )

    def switch(self, **faults: Any) -> None:
        requests.post(f"{self.address}/admin/faults", json=faults, timeout=30).raise_for_status()

    def books(self) -> dict[str, Any]:
        """The exchange's own truth."""
        books: dict[str, Any] = json.loads(requests.get(f"{self.address}/admin/books", timeout=30).text)
        return books

    def arrived(self) -> list[dict[str, Any]]:
        """The opening orders that ever reached the exchange."""
        return [order for order in self.books()["orders"] if order["client_order_id"].startswith("tv3e")]


@contextmanager
def opened(settings: Settings, archive: Archive, symbols: Sequence[str] = (SYMBOL,)) -> Iterator[Desk]:
    """The desk, live on an exchange of its own."""
    with running(archive) as address:
        settings.VENUE, settings.TRADING, settings.REVIEW = "simulator", "live", "auto"
        settings.BITMART_BASE_URL = address
        settings.BITMART_WS_URL = address.replace("http", "ws")
        yield Desk(address, archive, symbols)
