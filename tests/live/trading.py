"""A desk around a real local exchange: stored candles, a profile that is always ready, and its books."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from pytest_django import Settings

from apps.engine.profile import Profile
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
from tests.factories import WatchStateFactory

SYMBOL = "BTCUSDT"

ENTRY: dict[str, Any] = {
    "risk_pct": 1.0,
    "margin_pct": 10,
    "r_multiple": 2.0,
    "stop_from": "atr",
    "stop_fallback": "atr",
    "atr_k": 1.5,
    "pivot_sl_policy": "nearest",
    "pivot_sl_buffer_pct": 0.3,
    "tp_buffer_pct": 0.1,
    "tp_min_keep_ratio": 0.95,
    "tp_max_extra_r": 0.5,
    "max_deviation_pct": 5,
    "implausible_pct": 5,
    "zone_max_deviation_pct": 5,
    "zone": {
        "anchor": "sma21",
        "timeframe": "1m",
        "atr_timeframe": "1m",
        "k_atr": 10,
        "w_min": 0.02,
        "w_max": 0.05,
        "ttl_s": 240,
    },
    "order_ttl_s": 120,
    "exchange_cap": 20,
    "spread_guard_bps": 50,
    "stop_slippage_bps": 5,
    "daily_max_loss_pct": 50,
    "max_concurrent_positions": 10,
    "fees": {"maker": 0.0002, "taker": 0.0006},
}
"""Wide everywhere: whatever the recorded market does now, it enters."""


def always(name: str = "always", side: str = "long", entry: Any = ENTRY, **changes: Any) -> dict[str, Any]:
    """A profile's file that is READY on `side` each minute, for every symbol."""

    def sides() -> dict[str, list[str]]:
        return {name: ["close > 0" if name == side else "close < 0"] for name in ("long", "short")}

    content = {
        "name": name,
        "validation_mode": "pragmatic",
        "context_timeframes": ["5m"],
        "execution_timeframes": ["1m"],
        "timeframes": {"5m": sides(), "1m": sides()},
    }
    return content | ({} if entry is None else {"entry": entry}) | changes


def loaded(content: dict[str, Any]) -> Profile:
    return Profile.load(content, {}, "test")


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
