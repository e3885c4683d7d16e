"""What is asked of the exchange once, and what nobody waits for."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.engine.ports.account import BrokerUnavailable
from apps.engine.values.position import FeeRates
from apps.exchange.dry import DryBroker
from apps.live.enter import observation
from apps.live.enter.observation import VenueCache

APART_S = 3.0


class Exchange(DryBroker):
    """Tells rates by symbol, and remembers who asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gone = False

    def fee_rates(self, symbol: str) -> FeeRates:
        if self.gone:
            raise BrokerUnavailable("gone")
        self.asked.append(symbol)
        return FeeRates(maker=Decimal(0), taker=Decimal(len(symbol)) / 10_000)


class Hands:
    """A monotonic clock moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    doubles = Hands()
    monkeypatch.setattr(observation, "time", doubles)
    return doubles


def test_rates_are_asked_a_symbol_a_day_and_no_faster_than_the_exchange_tells_them(hands: Hands) -> None:
    exchange = Exchange()
    rates = VenueCache(exchange, APART_S)
    assert [rates.fees(name).taker * 10_000 for name in ("AAAA", "BB", "AAAA")] == [4, 4, 4]
    assert exchange.asked == ["AAAA"]
    hands.at += APART_S
    assert rates.fees("BB").taker * 10_000 == 2
    assert rates.fees("CCC").taker * 10_000 == 4, "the highest known stands in"
    hands.at += observation.FEES_KEPT_S
    assert rates.fees("AAAA").taker * 10_000 == 4
    assert exchange.asked == ["AAAA", "BB", "AAAA"]


def test_what_could_not_be_read_is_not_kept(hands: Hands) -> None:
    exchange = Exchange()
    exchange.gone = True
    rates = VenueCache(exchange, APART_S)
    with pytest.raises(BrokerUnavailable):
        rates.fees("AAAA")
    exchange.gone = False
    assert rates.fees("AAAA").taker * 10_000 == 4
