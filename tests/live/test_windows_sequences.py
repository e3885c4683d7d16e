"""Whatever the feed writes, and in whatever order, warm windows are what cold ones would be."""

from __future__ import annotations

from datetime import datetime
from random import Random

import pytest

from apps.engine.values.candle import Source
from apps.engine.values.timeframe import WINDOW, Timeframe
from apps.live import windows
from apps.live.windows import Warm
from apps.market import store
from tests.live.frames import cold, differences
from tests.live.market import AT, MINUTE, candle, run_of

SYMBOLS = ("AUSDT", "BUSDT", "CUSDT")
SHORT_WINDOW = 70
SLACK = 6
JUMPS = (1, 1, 1, 1, 2, 3, SLACK + 2, SHORT_WINDOW + 9)
STEPS = 25


class Feed:
    """Writes what a feed may write: mostly the newest candle; sometimes late, wrong at first, or none."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.at = AT
        self._withheld: list[tuple[str, Timeframe, datetime]] = []
        for symbol in SYMBOLS[:2]:
            for timeframe in WINDOW:
                store.save_candles(run_of(symbol, timeframe, self.at, SHORT_WINDOW))

    def step(self) -> None:
        self.random.choice(
            [self._go_on, self._go_on, self._go_on, self._correct, self._deliver, self._early]
        )()

    def _go_on(self) -> None:
        """Time passes; each candle that closed is stored, in one batch or several, or kept back."""
        before, self.at = self.at, self.at + self.random.choice(JUMPS) * MINUTE
        for symbol in SYMBOLS if self.random.random() < 0.2 else SYMBOLS[:2]:
            for timeframe in WINDOW:
                self._store(symbol, timeframe, before)

    def _store(self, symbol: str, timeframe: Timeframe, since: datetime) -> None:
        batch = []
        closes_at = timeframe.floor(since) + timeframe.duration
        while closes_at <= self.at:
            if self.random.random() < 0.15:
                self._withheld.append((symbol, timeframe, closes_at))
            else:
                batch.append(candle(symbol, timeframe, closes_at, self._price()))
            closes_at += timeframe.duration
        store.save_candles(batch)

    def _correct(self) -> None:
        """Stored candles turn out to have been different, while time goes on or not."""
        for _ in range(self.random.choice([1, 2, 5])):
            timeframe = self.random.choice(list(WINDOW))
            closes_at = (
                timeframe.floor(self.at) - self.random.randrange(SHORT_WINDOW + 3) * timeframe.duration
            )
            late = candle(self.random.choice(SYMBOLS[:2]), timeframe, closes_at, self._price(), Source.REST)
            store.save_candles([late])
        if self.random.random() < 0.5:
            self._go_on()

    def _deliver(self) -> None:
        """Some of what was kept back arrives after all."""
        self.random.shuffle(self._withheld)
        count = self.random.randrange(len(self._withheld) + 1)
        arrived, self._withheld = self._withheld[:count], self._withheld[count:]
        store.save_candles([candle(s, timeframe, at, self._price()) for s, timeframe, at in arrived])

    def _early(self) -> None:
        """A candle is stored before our own clock says that it closed."""
        store.save_candles([candle("AUSDT", Timeframe.M1, self.at + MINUTE, self._price())])

    def _price(self) -> str:
        return f"{self.random.uniform(95, 105):.2f}"


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_after_any_sequence_of_writes_warm_windows_equal_cold_ones(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for timeframe in WINDOW:
        monkeypatch.setitem(WINDOW, timeframe, SHORT_WINDOW)
    monkeypatch.setattr(windows, "SLACK", SLACK)
    feed = Feed(seed)
    warm = Warm(SYMBOLS, [])
    warm.refresh(feed.at)
    for step in range(STEPS):
        feed.step()
        if feed.random.random() < 0.7:
            warm.refresh(feed.at)
            assert differences(warm, cold(SYMBOLS, feed.at)) == [], f"after step {step}"
