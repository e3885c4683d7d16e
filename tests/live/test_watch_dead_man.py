"""The dead man's switch: an entry rests only while somebody watches it, and nobody else's is touched."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from apps.audit.models import TradeLifecycleEvent
from apps.engine.ports.account import BrokerUnavailable, BrokerUnknown
from apps.engine.values.position import Side
from apps.switches import store as switches
from tests.live.watching import SYMBOL, D, House

FAR = "3"


def fires_in_s(house: House) -> float | None:
    """Seconds until the exchange takes the symbol's orders back; None while it is not asked to."""
    (contract,) = [row for row in house.books()["contracts"] if row["symbol"] == SYMBOL]
    at_ms = contract["cancel_at_ms"]
    return at_ms / 1000 - house.exchange.clock().timestamp() if at_ms else None


def pass_time(house: House, seconds: float) -> None:
    house.clock.push(seconds)
    house.exchange.clock.push(seconds)


def rest_by_hand(house: House) -> None:
    house.rest_by_hand(Side.SHORT, house.broker.quote(SYMBOL).ask * D("1.05"))


def resting(house: House) -> list[str]:
    return [order.client_order_id for order in house.broker.orders(SYMBOL)]


def test_a_resting_entry_is_guarded_within_five_seconds_and_as_long_as_it_rests(house: House) -> None:
    began = time.monotonic()
    plan = house.enter(away_pct=FAR)
    house.until(lambda: fires_in_s(house) is not None)
    assert time.monotonic() - began < 5
    pass_time(house, 26)
    house.until(lambda: (fires_in_s(house) or 0) > 55)
    pass_time(house, 26)
    house.until(lambda: (fires_in_s(house) or 0) > 55)
    assert resting(house) == [plan.client_order_id]


def test_an_entry_that_nobody_watches_any_more_is_taken_back_by_the_exchange(house: House) -> None:
    plan = house.plan(away_pct=FAR)
    house.send(house.claim(replace(plan, expires_at=plan.created_at + timedelta(minutes=2))))
    house.until(lambda: fires_in_s(house) is not None)
    pass_time(house, 61)
    assert resting(house) == []
    house.until(house.is_free)
    (ended,) = TradeLifecycleEvent.objects.filter(event_type="order_cancelled")
    assert ended.extra["detail"] == "we did not ask for it"


def test_where_an_order_of_somebody_else_rests_nothing_is_armed(house: House) -> None:
    house.broker.set_leverage(SYMBOL, 5)
    rest_by_hand(house)
    house.enter(away_pct=FAR)
    house.until(lambda: len(resting(house)) == 2)
    house.work(1.5)
    assert fires_in_s(house) is None


def test_an_order_that_somebody_else_places_beside_ours_outlives_our_silence(house: House) -> None:
    house.enter(away_pct=FAR)
    house.until(lambda: fires_in_s(house) is not None)
    rest_by_hand(house)
    house.until(lambda: fires_in_s(house) is None)
    pass_time(house, 61)
    assert len(resting(house)) == 2


def test_one_whose_arming_was_not_answered_is_disarmed_as_any_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel_after = house.broker.cancel_after

    def answer_is_lost(symbol: str, timeout_s: int) -> None:
        cancel_after(symbol, timeout_s)
        if timeout_s:
            raise BrokerUnknown("no answer within 3 s")

    monkeypatch.setattr(house.broker, "cancel_after", answer_is_lost)
    house.enter(away_pct=FAR)
    house.until(lambda: fires_in_s(house) is not None)
    house.clock.push(61)
    house.until(house.is_free)
    house.work(2)
    assert fires_in_s(house) is None, "else it takes back what somebody places within a minute"


def test_one_that_could_not_be_disarmed_is_disarmed_by_the_process_after_although_its_symbol_is_free(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.enter(away_pct=FAR)
    house.until(lambda: fires_in_s(house) is not None)
    with monkeypatch.context() as patched:

        def is_away(symbol: str, timeout_s: int) -> None:
            raise BrokerUnavailable("no connection")

        patched.setattr(house.broker, "cancel_after", is_away)
        switches.set_switch("GLOBAL", is_on=False, reason="stop", actor="ada")
        house.until(house.is_free)
        house.work(1)
    assert fires_in_s(house) is not None
    house.restart()
    house.until(lambda: fires_in_s(house) is None)


def test_it_is_disarmed_when_our_entry_is_over_also_by_the_process_after(house: House) -> None:
    house.enter(away_pct=FAR)
    house.until(lambda: fires_in_s(house) is not None)
    house.restart()
    house.clock.push(61)
    house.until(house.is_free)
    house.until(lambda: fires_in_s(house) is None)
