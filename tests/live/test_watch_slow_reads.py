"""What explains, books or prices never stands before protection, however long the exchange takes for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from apps.exchange.simulator.market.archive import Archive
from apps.orders.models import EquityPoint
from tests.live.test_watch_zone import entered
from tests.live.watching import OTHER, House, opened

LONGEST_S = 10
"""Of a read that is held. Whoever waits for it is seen by that."""


class Held:
    """One read of the exchange that is not answered before `go_on`.

    `asked` says that it was tried, `waited_for` that somebody had nothing better to do for LONGEST_S.
    """

    def __init__(self, house: House, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = threading.Event()
        self.waited_for = False
        self._answered = threading.Event()
        read = getattr(house.broker, name)

        def held(*args: Any) -> Any:
            self.asked.set()
            self.waited_for = not self._answered.wait(LONGEST_S)
            return read(*args)

        monkeypatch.setattr(house.broker, name, held)

    def go_on(self) -> None:
        self._answered.set()


@pytest.fixture
def house(archive: Archive, transactional_db: None) -> Iterator[House]:
    with opened(archive) as house:
        yield house


@pytest.mark.parametrize(
    "name", ["order", "fills", "quote", "transactions", "account", "server_offset_ms", "position_mode"]
)
def test_a_read_that_takes_long_keeps_no_position_naked_and_counts_when_it_is_there(
    house: House, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.exchange.switch(preset_on_partial="never", drop_answers={"/contract/private/submit-order": 1})
    in_doubt = house.enter(OTHER, away_pct="1")
    assert house.order_status(in_doubt) == "UNKNOWN"
    resting = entered(house, symbol="SOLUSDT")
    filled_at_once = house.plan()
    held = Held(house, name, monkeypatch)
    points = EquityPoint.objects.count()
    for _ in range(12):  # all is due in its time, the end of a resting entry last
        if not held.asked.is_set():
            house.clock.push(6)
            house.work(1)
    assert held.asked.is_set()
    house.send(house.claim(filled_at_once))
    house.until(house.is_protected)
    assert len(house.stops()) == 1
    assert not held.waited_for
    held.go_on()
    house.clock.push(61)
    house.until(lambda: house.order_status(in_doubt) in ("SUBMITTED", "CANCELLED", "EXPIRED"))
    house.until(lambda: EquityPoint.objects.count() > points)
    assert house.order_status(resting) != "UNKNOWN"
