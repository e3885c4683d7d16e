"""The rest of an entry leaves only when the exchange confirms all that our books say of it, and once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from apps.backtest.ledger import MemoryLedger
from apps.engine import events
from apps.engine.cycle import EntryResult, SendResult, enter, fall_back, follow, observe, perform, precheck
from apps.engine.enter.guards import send_refusal
from apps.engine.follow.fallback import waiting_rest
from apps.engine.ports.account import Broker
from apps.engine.values.book import ExchangeBook, TrackedOrder
from apps.engine.values.order import OrderStatus, TimeInForce
from apps.engine.values.position import Side
from apps.engine.values.reason import Reason, Refusal
from tests.engine.tiny_exchange import Answer, TinyExchange
from tests.engine.trade_builder import (
    CONSTRAINTS,
    NOW,
    SYMBOL,
    D,
    at,
    contract,
    observation,
    profile,
    quote,
    verdict,
)

S = OrderStatus
PROFILE = profile()


class Desk:
    """One entry from its claim on: followed each second, its rest sent when a test says so."""

    def __init__(self, *answers: Answer) -> None:
        self.exchange = TinyExchange(SYMBOL, NOW, answers=["ok", *answers])
        self.ledger = MemoryLedger()
        self.off: dict[str, str] = {}
        decision = precheck(verdict(), PROFILE, self.ledger.state([SYMBOL], NOW), NOW)
        assert not isinstance(decision, Refusal)
        entered = enter(decision, observation(), **self._doors())
        assert isinstance(entered, EntryResult)
        self.plan = entered.plan

    @property
    def now(self) -> datetime:
        return self.exchange.now

    @property
    def orders(self) -> dict[int, TrackedOrder]:
        return {order.attempt: order for order in self.ledger.book(SYMBOL, self.now).orders}

    @property
    def waiting(self) -> TrackedOrder | None:
        return waiting_rest(self.ledger.book(SYMBOL, self.now), self.now)

    def names(self, kind: type[events.Event]) -> list[str]:
        return [event.name for event in self.ledger.recorded if isinstance(event, kind)]

    def until(self, seconds: int) -> None:
        """Followed each second until so many after the plan, the mark in the zone."""
        while self.now < at(seconds):
            self.exchange.now += timedelta(seconds=1)
            book, broker = self.ledger.book(SYMBOL, self.now), cast(Broker, self.exchange)
            shown, _ = observe(
                broker,
                book,
                ExchangeBook(SYMBOL),
                constraints=CONSTRAINTS,
                clock=lambda: self.now,
                trades=True,
            )
            shown = replace(shown, quote=quote(at=self.now))
            step = follow(book, shown, contract(), constraints=CONSTRAINTS, off=self.off, now=self.now)
            self.ledger.record(step.events)
            for action in step.actions:
                self.ledger.record(perform(action, broker=broker, now=self.now))

    def fall_back(self, order: TrackedOrder | None = None) -> SendResult | Refusal:
        order = order or self.waiting
        assert order is not None
        assert PROFILE.entry is not None
        return fall_back(
            order,
            self.plan,
            PROFILE.entry,
            read_market=lambda: observation(quote=quote(at=self.now)),
            **self._doors(),
        )

    def _doors(self) -> dict[str, Any]:
        return {
            "broker": self.exchange,
            "ledger": self.ledger,
            "last_check": lambda plan: send_refusal(plan, self.off, self.now),
            "clock": lambda: self.now,
        }


def test_the_rest_is_sent_as_the_next_attempt_that_ends_at_once() -> None:
    desk = Desk()
    desk.until(38)
    sent = desk.fall_back()
    assert isinstance(sent, SendResult)
    assert (sent.order.attempt, sent.order.status) == (1, S.SUBMITTED)
    first, second = desk.exchange.requests
    assert (first.time_in_force, second.time_in_force) == (TimeInForce.GTC, TimeInForce.IOC)
    assert (second.stop_price, second.target_price) == (first.stop_price, first.target_price)
    assert first.client_order_id in desk.exchange.over
    assert desk.exchange.leverages == [desk.plan.leverage]  # set once
    [_, submitted] = [event for event in desk.ledger.recorded if isinstance(event, events.OrderSubmitted)]
    assert submitted.detail.startswith("fallback: the rest ")


def test_a_part_that_filled_counts_and_what_is_left_joins_it() -> None:
    desk = Desk()
    desk.exchange.fill(D(4))
    desk.until(38)
    sent = desk.fall_back()
    assert isinstance(sent, SendResult)
    assert sent.order.size <= desk.plan.size - 4
    desk.exchange.fill(sent.order.size)
    desk.until(45)
    [held] = desk.ledger.book(SYMBOL, desk.now).positions
    assert (held.size, held.stop) == (4 + sent.order.size, desk.plan.stop)
    assert desk.orders[0].filled == 4
    [exposure] = desk.ledger.state([SYMBOL], desk.now).exposures
    assert exposure.risk <= desk.plan.sizing.risk_budget


@pytest.mark.parametrize("answer", ["lost", "held"])
def test_a_rest_in_doubt_is_followed_and_never_sent_again(answer: Answer) -> None:
    desk = Desk(answer)
    desk.until(38)
    sent = desk.fall_back()
    assert isinstance(sent, SendResult)
    assert sent.order.status == S.UNKNOWN
    assert desk.waiting is None
    desk.until(44)
    assert desk.ledger.locks == {SYMBOL: desk.plan.decision_key}
    desk.until(59)
    assert len(desk.exchange.requests) == 1 + (answer == "held")
    assert desk.exchange.resting == {}  # one that would rest after all is taken back


def test_a_rest_that_the_last_check_forbids_is_denied_and_the_symbol_is_free() -> None:
    desk = Desk()
    desk.until(38)
    desk.off["GLOBAL"] = "stop"
    denied = desk.fall_back()
    assert isinstance(denied, SendResult)
    assert (denied.order.status, denied.reason) == (S.DENIED, Reason.KILL_SWITCH_GLOBAL)
    desk.until(40)
    assert desk.ledger.locks == {}
    assert len(desk.exchange.requests) == 1


def test_a_rest_that_the_books_forbid_is_refused_for_good_and_the_symbol_is_free() -> None:
    desk = Desk()
    desk.until(38)
    waiting = desk.waiting
    desk.ledger.off["GLOBAL"] = "stop"
    refused = desk.fall_back(waiting)
    assert isinstance(refused, Refusal)
    assert refused.reason == Reason.KILL_SWITCH_GLOBAL
    assert desk.names(events.FallbackRefused) == ["fallback_refused"]
    assert desk.waiting is None
    desk.until(40)
    assert desk.ledger.locks == {}
    assert len(desk.exchange.requests) == 1


def rests_still(exchange: TinyExchange, client_id: str) -> None:
    exchange.resting[client_id] = replace(exchange.over.pop(client_id), open=True)


def is_not_shown(exchange: TinyExchange, client_id: str) -> None:
    exchange.over.clear()


def filled_more(exchange: TinyExchange, client_id: str) -> None:
    exchange.over[client_id] = replace(exchange.over[client_id], filled=D(1), average_price=D(50000))


def something_is_held(exchange: TinyExchange, client_id: str) -> None:
    other = replace(exchange.over[client_id], side=Side.SHORT, price=D(50000))
    exchange._trade(other, D(3))


def another_of_ours_rests(exchange: TinyExchange, client_id: str) -> None:
    exchange.resting["tv3e9"] = replace(exchange.over[client_id], client_order_id="tv3e9", open=True)


@pytest.mark.parametrize(
    "differs", [rests_still, is_not_shown, filled_more, something_is_held, another_of_ours_rests]
)
def test_nothing_is_sent_while_the_exchange_does_not_confirm_our_books(differs: Any) -> None:
    desk = Desk()
    desk.until(38)
    waiting = desk.waiting
    assert waiting is not None
    differs(desk.exchange, waiting.client_order_id)
    refused = desk.fall_back(waiting)
    assert isinstance(refused, Refusal)
    assert refused.reason == Reason.FALLBACK_NOT_CONFIRMED
    assert len(desk.exchange.requests) == 1
    assert desk.waiting == waiting  # it may be confirmed yet


def test_whoever_comes_second_sends_nothing_and_tells_nothing() -> None:
    desk = Desk()
    desk.until(38)
    waiting = desk.waiting
    assert isinstance(desk.fall_back(waiting), SendResult)
    desk.exchange.resting.clear()  # it ended at once
    told = len(desk.ledger.recorded)
    again = desk.fall_back(waiting)
    assert isinstance(again, Refusal)
    assert again.reason == Reason.DUPLICATE_DECISION
    assert (len(desk.exchange.requests), len(desk.ledger.recorded)) == (2, told)


@pytest.mark.parametrize("reason", [Reason.NOT_RECONCILED, Reason.VENUE_UNHEALTHY, Reason.QUOTE_STALE])
def test_what_may_pass_within_its_time_does_not_end_it(
    reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk()
    desk.until(38)
    waiting = desk.waiting
    with monkeypatch.context() as patched:
        patched.setattr(desk.ledger, "claim_rest", lambda rest, now: Refusal(reason, {}))
        refused = desk.fall_back()
    assert isinstance(refused, Refusal)
    assert (desk.waiting, desk.names(events.FallbackRefused)) == (waiting, [])
    assert isinstance(desk.fall_back(), SendResult)
