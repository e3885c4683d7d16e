"""What the desk does with pushed quotes: who is wanted, what an entry takes, what a spread decides."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
import redis
from pytest_django import Settings

from apps.audit.models import MtfAudit
from apps.engine.cycle import EntryResult
from apps.engine.ports.account import VenueBroker
from apps.engine.values.position import Quote
from apps.engine.values.reason import Reason, Refusal
from apps.exchange import venue
from apps.live.enter.observation import read_quote
from apps.live.enter.symbol_entry import enter_symbol
from apps.live.models import MtfRun
from apps.live.quotes import LIKELY_FOR_S, READY_FOR_S
from apps.live.watch.follower import QUOTES_FOR_S
from apps.market import quotes
from apps.switches import store as switches
from benchmarks.trading.always import ENTRY, always
from tests.live.desk import Worker, by_close, profile
from tests.live.market import AT, LONG, M1, M5, M15, MINUTE, NEUTRAL, SHORT, fill
from tests.live.trading import SYMBOL, Desk
from tests.live.watching import House

D = Decimal
REDIS_AWAY = "redis://127.0.0.1:1/0"
TRADING = profile(by_close("trading", "5m", entry=ENTRY))

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("board")]


def wanted(for_s: float = 0.0) -> set[str]:
    """Whose quotes are wanted, still after so many seconds."""
    return quotes.wanted(datetime.now(UTC) + timedelta(seconds=for_s), 1000)


def quote(symbol: str, *, spread_bps: str = "2", age_s: float = 0.0) -> Quote:
    bid = D(100)
    ask = bid * (1 + D(spread_bps) / 20_000) / (1 - D(spread_bps) / 20_000)
    return Quote(symbol, bid, ask, bid, bid, datetime.now(UTC) - timedelta(seconds=age_s))


# the minute


def market(closes: Mapping[str, tuple[str, str]]) -> None:
    """Symbol → the closes of its 5m and 1m candles."""
    for symbol, (slow, fast) in closes.items():
        fill([symbol], [M5], close=slow)
        fill([symbol], [M1], close=fast)


def test_a_minute_wants_what_is_ready_and_what_lacks_an_execution_timeframe_alone(
    broker: redis.Redis,
) -> None:
    market({"AUSDT": (LONG, LONG), "BUSDT": (LONG, SHORT), "CUSDT": (NEUTRAL, LONG), "DUSDT": (SHORT, SHORT)})
    Worker(("AUSDT", "BUSDT", "CUSDT", "DUSDT"), [TRADING], broker=broker).minute(AT)
    assert wanted() == {"AUSDT", "BUSDT", "DUSDT"}
    assert wanted(LIKELY_FOR_S + 10) == {"AUSDT", "DUSDT"}
    assert wanted(READY_FOR_S + 10) == set()


def test_nothing_is_wanted_for_what_a_switch_covers_nor_for_a_profile_that_only_judges(
    broker: redis.Redis,
) -> None:
    market({"AUSDT": (LONG, LONG), "BUSDT": (LONG, LONG)})
    switches.set_switch("SYMBOL:AUSDT", is_on=False, reason="test", actor="ada")
    judging = profile(by_close("judging", "5m"))
    Worker(("AUSDT", "BUSDT"), [judging], broker=broker).minute(AT)
    assert wanted() == set()
    Worker(("AUSDT", "BUSDT"), [TRADING], broker=broker).minute(AT)
    assert wanted() == {"BUSDT"}


def test_a_minute_is_decided_without_the_board(broker: redis.Redis, settings: Settings) -> None:
    market({"AUSDT": (LONG, LONG)})
    settings.REDIS_URL = REDIS_AWAY
    [run] = Worker(("AUSDT",), [TRADING], broker=broker).minute(AT)
    assert run.counts["ready"] == 1


# the selection

NARROW = profile(
    by_close(
        "narrow",
        "15m",
        "5m 1m",
        entry=ENTRY,
        selection={"5m": {"drop_to_lower_if_any": ["spread_bps > 8"]}},
    )
)


def chosen(run: MtfRun) -> dict[str, tuple[str, float | None]]:
    """Symbol → the execution timeframe, and the spread that the verdict's leaf of the selection shows."""
    rows = {}
    for row in MtfAudit.objects.filter(run_id=run.run_id):
        verdict = row.details["verdict"]
        leaves = [leaf for part in verdict["timeframes"] for leaf in part["leaves"] if leaf["role"] == "drop"]
        rows[row.symbol] = (verdict["execution_timeframe"], leaves[0]["left"])
    return rows


def test_a_wide_spread_on_the_board_drops_to_the_faster_timeframe_and_an_unknown_one_never_does(
    broker: redis.Redis,
) -> None:
    symbols = ("AUSDT", "BUSDT", "CUSDT", "DUSDT")
    fill(symbols, [M1, M5, M15])
    quotes.put(
        [
            quote("AUSDT", spread_bps="9"),
            quote("BUSDT", spread_bps="7"),
            quote("DUSDT", spread_bps="9", age_s=3.1),
        ]
    )
    [run] = Worker(symbols, [NARROW], broker=broker).minute(AT)
    decided = chosen(run)
    assert {symbol: timeframe for symbol, (timeframe, _) in decided.items()} == {
        "AUSDT": "1m",
        "BUSDT": "5m",
        "CUSDT": "5m",
        "DUSDT": "5m",
    }
    assert decided["AUSDT"][1] == pytest.approx(9)
    assert decided["BUSDT"][1] == pytest.approx(7)
    assert (decided["CUSDT"][1], decided["DUSDT"][1]) == (None, None)


def test_a_spread_is_of_its_minute_alone(broker: redis.Redis) -> None:
    fill(["AUSDT"], [M1, M5, M15])
    worker = Worker(("AUSDT",), [NARROW], broker=broker)
    quotes.put([quote("AUSDT", spread_bps="9")])
    [run] = worker.minute(AT)
    assert chosen(run)["AUSDT"][0] == "1m"
    broker.delete("quote:AUSDT")
    fill(["AUSDT"], [M1], AT + MINUTE, count=1)
    [run] = worker.minute(AT + MINUTE)
    assert chosen(run)["AUSDT"] == ("5m", None)


# the entry


class Counting:
    """The venue's broker, and how often it was asked for a quote."""

    def __init__(self) -> None:
        self._broker = venue.current().broker
        self.quotes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def quote(self, symbol: str) -> Quote:
        self.quotes += 1
        return self._broker.quote(symbol)


@pytest.mark.django_db(transaction=True)
def test_an_entry_takes_the_pushed_quote_and_asks_the_venue_for_none(desk: Desk) -> None:
    broker, pushed = Counting(), quote(SYMBOL, age_s=1.0)
    quotes.put([pushed])
    assert read_quote(SYMBOL, cast(VenueBroker, broker)) == pushed
    assert broker.quotes == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("age_s", [None, 1.6, 2.9])
def test_without_a_pushed_quote_young_enough_for_the_way_to_the_order_the_venue_is_asked(
    desk: Desk, age_s: float | None
) -> None:
    broker = Counting()
    if age_s is not None:
        quotes.put([quote(SYMBOL, age_s=age_s)])
    asked = read_quote(SYMBOL, cast(VenueBroker, broker))
    assert asked is not None
    assert asked.mark != 100
    assert broker.quotes == 1


@pytest.mark.django_db(transaction=True)
def test_without_redis_the_venue_is_asked(desk: Desk, settings: Settings) -> None:
    broker = Counting()
    quotes.put([quote(SYMBOL)])
    settings.REDIS_URL = REDIS_AWAY
    asked = read_quote(SYMBOL, cast(VenueBroker, broker))
    assert asked is not None
    assert asked.mark != 100
    assert broker.quotes == 1


@pytest.mark.django_db(transaction=True)
def test_a_pushed_quote_carries_an_entry_through_while_the_venue_answers_no_books(desk: Desk) -> None:
    [run] = desk.decide(always())
    answered = venue.current().broker.quote(SYMBOL)
    desk.switch(route_latency_ms={"/contract/public/depth": 10_000})
    quotes.put([replace(answered, at=datetime.now(UTC))])
    began = time.monotonic()
    outcome = enter_symbol(str(run.run_id), SYMBOL, clock=desk.clock)
    assert time.monotonic() - began < 8  # the venue's books would take 10
    assert isinstance(outcome, EntryResult), outcome
    assert outcome.plan.entry >= answered.bid
    assert len(desk.arrived()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_pushed_quote_is_judged_like_any_other(desk: Desk) -> None:
    [run] = desk.decide(always())
    quotes.put([quote(SYMBOL, spread_bps="80")])
    refused = enter_symbol(str(run.run_id), SYMBOL, clock=desk.clock)
    assert isinstance(refused, Refusal)
    assert refused.reason == Reason.SPREAD_TOO_WIDE


# the watch


def test_what_rests_or_is_held_is_wanted_at_each_sweep(house: House) -> None:
    house.work(0.2)
    assert wanted() == set()
    house.enter()
    house.until(house.is_protected)
    house.until(lambda: wanted(QUOTES_FOR_S - 60) == {SYMBOL})


def test_a_position_is_protected_while_the_board_cannot_be_reached(house: House, settings: Settings) -> None:
    settings.REDIS_URL = REDIS_AWAY
    house.exchange.switch(preset_on_partial="never")
    house.enter()
    assert house.until(house.is_protected) < 5
