"""Resting entries and the mark, watched: taken back where it went too far, their rest sent by the worker."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from apps.audit.models import TradeLifecycleEvent
from apps.engine.cycle import SendResult
from apps.engine.values.book import RestPlan
from apps.engine.values.entry import EntryRules, Fallback, RestingZone
from apps.engine.values.plan import OrderPlan
from apps.engine.values.position import Quote
from apps.engine.values.reason import Reason, Refusal
from apps.live.enter.fallback import enter_waiting_rest, enter_waiting_rests
from apps.live.watch.resting_quotes import READ_EACH
from apps.orders import store as orders
from apps.orders.models import ExchangeOrder, Position
from apps.orders.models import OrderPlan as PlanRow
from apps.profiles import store as profiles
from apps.switches import store as switches
from apps.switches.models import Cooldown
from benchmarks.trading.always import ENTRY, always, loaded
from tests.live.watching import ACCOUNT, SYMBOL, D, House, told

FAR = "1"
LEFT = timedelta(seconds=20)
"""Of the order's time: within what a fallback needs."""


def entered(house: House, *, zone_at: str = "1", fallback: bool = False, **how: Any) -> OrderPlan:
    """A resting entry whose zone is 1 % wide around `zone_at` times the mark."""
    plan = house.plan(**({"away_pct": FAR} | how))
    mark = house.broker.quote(plan.symbol).mark * D(zone_at)
    rules = EntryRules(
        zone=RestingZone(mark * D("0.995"), mark * D("1.005"), mark, D(10)),
        fallback=Fallback(25, D(50)) if fallback else None,
    )
    profile = loaded(always(entry=ENTRY | {"slippage_guard_bps": 25}))
    profiles.save_version(profile)
    sizing = replace(plan.sizing, risk_budget=D(100), leverage=5)
    plan = replace(
        plan,
        digest=profile.digest,
        sizing=sizing,
        entry_rules=rules,
        expires_at=house.clock() + LEFT if fallback else plan.expires_at,
    )
    house.send(house.claim(plan))
    return plan


def events_of(name: str) -> list[TradeLifecycleEvent]:
    return list(TradeLifecycleEvent.objects.filter(event_type=name).order_by("id"))


@pytest.fixture
def worker(house: House, settings: Settings) -> House:
    """The worker trades on the exchange that is watched."""
    settings.VENUE, settings.TRADING, settings.REVIEW = "simulator", "live", "auto"
    settings.BITMART_BASE_URL = house.exchange.address
    settings.BITMART_WS_URL = house.exchange.address.replace("http", "ws")
    return house


def taken_back(house: House) -> orders.WaitingRest:
    """A resting entry whose rest waits for the worker."""
    plan = entered(house, fallback=True)

    def waiting() -> list[orders.WaitingRest]:
        return [
            rest
            for rest in orders.waiting_rests(ACCOUNT, house.clock())
            if rest.order.decision_key == plan.decision_key
        ]

    house.until(waiting)
    [rest] = waiting()
    return rest


# out of zone


def test_an_entry_is_taken_back_by_the_quote_that_is_read_when_none_is_pushed(house: House) -> None:
    plan = entered(house, zone_at="1.05")
    house.until(house.is_free)
    assert house.order_status(plan) == "CANCELLED"
    assert house.broker.orders(SYMBOL) == []
    [asked] = events_of("order_cancel_asked")
    assert asked.extra["detail"].startswith("out of zone: the mark ")
    pause = Cooldown.objects.get()
    assert pause.ends_at - pause.starts_at == timedelta(minutes=15)


def test_no_quote_is_read_for_an_entry_just_sent_while_others_may_wait_for_theirs(house: House) -> None:
    entered(house, zone_at="1.05")
    sent_at = house.clock()
    house.until(house.is_free)
    [asked] = events_of("order_cancel_asked")
    assert READ_EACH - timedelta(seconds=1) < asked.happened_at - sent_at < 2 * READ_EACH


def test_an_entry_is_taken_back_by_a_pushed_quote(house: House) -> None:
    pushed: dict[str, Quote] = {}

    def quotes(symbols: Collection[str]) -> Mapping[str, Quote]:
        return {
            symbol: replace(quote, at=house.clock()) for symbol, quote in pushed.items() if symbol in symbols
        }

    house.quotes = quotes
    house.restart()
    plan = entered(house)
    house.until(lambda: len(house.broker.orders(SYMBOL)) == 1)
    house.work(6)
    assert house.order_status(plan) == "SUBMITTED"
    quote = house.broker.quote(SYMBOL)
    pushed[SYMBOL] = replace(quote, mark=quote.mark * D("1.02"))
    house.until(house.is_free)
    assert house.order_status(plan) == "CANCELLED"


def test_quotes_that_cannot_be_had_take_nothing_back_and_hold_nothing_up(house: House) -> None:
    def broken(symbols: Collection[str]) -> Mapping[str, Quote]:
        raise ConnectionError(f"no board of {symbols}")

    house.quotes = broken
    house.restart()
    plan = entered(house)
    other = house.enter("ETHUSDT")
    house.until(lambda: house.position_status("ETHUSDT") == "PROTECTED")
    house.work(6)
    assert house.order_status(plan) == "SUBMITTED"
    assert house.order_status(other) == "FILLED"


# fallback


def test_what_rests_at_the_end_of_its_time_is_taken_from_the_book_once_and_protected(worker: House) -> None:
    rest = taken_back(worker)
    assert not worker.is_free()
    enter_waiting_rests(clock=worker.clock)
    enter_waiting_rests(clock=worker.clock)
    worker.until(worker.is_protected)
    worker.until(lambda: worker.order_status(rest.plan) in ("FILLED", "CANCELLED"))
    first, second = ExchangeOrder.objects.filter(decision_key=rest.plan.decision_key).order_by("attempt")
    assert (first.status, first.attempt, first.filled) == ("CANCELLED", 0, 0)
    assert (second.attempt, second.filled > 0) == (1, True)
    held = worker.books()["positions"][0]["size"]
    assert held == second.filled == Position.objects.get().size
    assert held <= first.size
    assert second.stop_price == first.stop_price
    assert {"order_cancel_asked", "order_cancelled", "order_submitted", "order_filled"} <= set(told())
    [submitted] = events_of("order_submitted")
    assert submitted.extra["detail"].startswith("fallback: the rest ")
    arrived = [each for each in worker.books()["orders"] if each["client_order_id"].startswith("tv3e")]
    assert len(arrived) == 2


def test_of_two_workers_one_sends_the_rest(worker: House) -> None:
    rest = taken_back(worker)
    sent = enter_waiting_rest(rest, clock=worker.clock)
    again = enter_waiting_rest(rest, clock=worker.clock)
    assert isinstance(sent, SendResult)
    assert isinstance(again, Refusal)
    assert again.reason in (Reason.DUPLICATE_DECISION, Reason.FALLBACK_NOT_CONFIRMED)
    assert ExchangeOrder.objects.filter(decision_key=rest.plan.decision_key).count() == 2


def test_a_plan_that_cannot_be_read_keeps_no_other_rest_from_being_sent(worker: House) -> None:
    unreadable = entered(worker, symbol="ETHUSDT", fallback=True)
    rest = taken_back(worker)
    worker.until(lambda: len(orders.waiting_rests(ACCOUNT, worker.clock())) == 2)
    PlanRow.objects.filter(decision_key=unreadable.decision_key).update(exec_json={"of": "another version"})
    assert [each.plan for each in orders.waiting_rests(ACCOUNT, worker.clock())] == [rest.plan]
    enter_waiting_rests(clock=worker.clock)
    assert ExchangeOrder.objects.filter(decision_key=rest.plan.decision_key).count() == 2


def test_a_rest_that_nobody_sends_in_time_ends_like_any_unfilled_entry(worker: House) -> None:
    rest = taken_back(worker)
    worker.clock.push(21)
    worker.until(worker.is_free)
    assert orders.waiting_rests(ACCOUNT, worker.clock()) == []
    [refused] = events_of("fallback_refused")
    assert refused.reason_code == Reason.SENT_TOO_LATE
    assert worker.order_status(rest.plan) == "CANCELLED"
    pause = Cooldown.objects.order_by("id").last()
    assert pause is not None
    assert pause.ends_at - pause.starts_at == timedelta(minutes=15)
    late = enter_waiting_rest(rest, clock=worker.clock)
    assert isinstance(late, Refusal)
    assert len(ExchangeOrder.objects.all()) == 1


def test_a_switch_keeps_the_rest_from_being_sent_and_frees_the_symbol(worker: House) -> None:
    taken_back(worker)
    switches.set_switch("GLOBAL", is_on=False, reason="stop", actor="ada")
    enter_waiting_rests(clock=worker.clock)
    [refused] = events_of("fallback_refused")
    assert refused.reason_code == Reason.KILL_SWITCH_GLOBAL
    worker.until(worker.is_free)
    assert ExchangeOrder.objects.count() == 1
    assert PlanRow.objects.get().reason == Reason.KILL_SWITCH_GLOBAL


def test_a_worker_that_dies_after_the_claim_leaves_an_order_in_doubt_that_is_followed_to_its_end(
    worker: House,
) -> None:
    rest = taken_back(worker)
    market = worker.broker.quote(SYMBOL)
    plan = replace(rest.plan, entry=market.ask, created_at=worker.clock(), send_before=worker.clock())
    claimed = worker.ledger.claim_rest(RestPlan(rest.order, plan, plan.sizing), worker.clock())
    assert not isinstance(claimed, Refusal)
    worker.until(lambda: worker.order_status(rest.plan) == "UNKNOWN")
    assert not worker.is_free()
    assert orders.waiting_rests(ACCOUNT, worker.clock()) == []
    worker.clock.push(100)
    worker.until(worker.is_free)
    assert worker.order_status(rest.plan) == "NEVER_ARRIVED"
