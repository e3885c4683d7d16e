"""A plan is claimed before anything is sent, sent once, and every answer becomes an event."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from apps.backtest.ledger import MemoryLedger
from apps.engine import events
from apps.engine.cycle import EntryResult, enter, precheck, refused_event
from apps.engine.enter.guards import send_refusal
from apps.engine.ports.account import Broker, BrokerUnknown, Claimed
from apps.engine.values.account import AccountState
from apps.engine.values.book import TrackedOrder
from apps.engine.values.order import OrderStatus, Role, client_order_id
from apps.engine.values.plan import OrderPlan
from apps.engine.values.position import Side
from apps.engine.values.reason import Reason, Refusal
from tests.engine.tiny_exchange import Answer, TinyExchange
from tests.engine.trade_builder import NOW, SYMBOL, D, account, at, features, observation, profile, verdict

S = OrderStatus


class Desk:
    """Enters one verdict and keeps what came of it."""

    def __init__(self, *answers: Answer, **ledger: Any) -> None:
        self.exchange = TinyExchange(SYMBOL, NOW, answers=list(answers))
        self.ledger = MemoryLedger(**ledger)
        self.off: dict[str, str] = {}

    def enter(
        self,
        state: AccountState | None = None,
        side: Side = Side.LONG,
        approved: OrderPlan | None = None,
        **changes: Any,
    ) -> EntryResult | Refusal:
        """As a desk enters a verdict: prechecked by `state`, or by what the books say now."""
        of, by = verdict(side), changes.pop("profile", profile())
        decision = precheck(of, by, state or self.ledger.state([SYMBOL], NOW), NOW, approved=approved)
        if isinstance(decision, Refusal):
            self.ledger.record([refused_event(decision, of, by.name, NOW)])
            return decision
        return enter(
            decision,
            observation(**changes),
            broker=cast(Broker, self.exchange),
            ledger=self.ledger,
            last_check=lambda plan: send_refusal(plan, self.off, NOW),
            clock=lambda: NOW,
            approved=approved,
        )

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.ledger.recorded]

    @property
    def sent(self) -> list[str]:
        return [request.client_order_id for request in self.exchange.requests]


def test_an_accepted_entry_is_planned_claimed_sent_and_told_in_that_order() -> None:
    desk = Desk()
    entered = desk.enter()
    assert isinstance(entered, EntryResult)
    assert entered.sent is not None
    plan = entered.plan
    assert desk.names == [
        "plan_made",
        "plan_claimed",
        "order_submitted",
        "order_acknowledged",
        "cooldown_set",
    ]
    assert (entered.sent.order.status, entered.sent.order.exchange_order_id) == (
        S.SUBMITTED,
        f"x{plan.client_order_id}",
    )
    assert desk.exchange.leverages == [plan.leverage]
    [request] = desk.exchange.requests
    assert request == plan.request(plan.client_order_id)
    assert desk.ledger.cooldowns[SYMBOL] == at(4 * 3600)
    assert desk.ledger.locks == {SYMBOL: plan.decision_key}


def test_what_came_after_the_precheck_is_seen_by_the_claim() -> None:
    desk = Desk()
    before = desk.ledger.state([SYMBOL], NOW)
    for state, sent in ((before, 1), (before, 1), (None, 1)):
        outcome = desk.enter(state=state)
        assert len(desk.sent) == sent
    assert isinstance(outcome, Refusal)
    assert outcome.reason == Reason.DUPLICATE_DECISION
    assert desk.names[-2:] == ["plan_refused", "plan_refused"]


class Watching(TinyExchange):
    """Looks into the ledger at the moment the order leaves."""

    ledger: MemoryLedger

    def submit(self, request: Any, before_sending: Any = None) -> str:
        self.seen_at_sending = self.ledger.book(SYMBOL, NOW).orders
        return super().submit(request, before_sending)


def test_the_order_is_in_the_books_before_it_leaves() -> None:
    desk = Desk()
    exchange = desk.exchange = Watching(SYMBOL, NOW)
    exchange.ledger = desk.ledger
    assert isinstance(desk.enter(), EntryResult)
    [order] = exchange.seen_at_sending
    assert order.status == S.SUBMITTING


@pytest.mark.parametrize(
    ("answers", "status", "reason", "sent", "told"),
    [
        (["rejected"], S.REJECTED, None, 0, ["order_rejected"]),
        (["held"], S.UNKNOWN, None, 1, ["order_unknown", "cooldown_set"]),
        (["lost"], S.UNKNOWN, None, 0, ["order_unknown", "cooldown_set"]),
        (["full"], S.DENIED, Reason.RATE_LIMITED, 0, ["order_denied"]),
        (["unreachable"], S.DENIED, Reason.VENUE_UNREACHABLE, 0, ["order_denied"]),
        (
            ["again", "ok"],
            S.SUBMITTED,
            None,
            1,
            ["order_rejected", "order_submitted", "order_acknowledged", "cooldown_set"],
        ),
        (
            ["again", "again", "again", "ok"],
            S.REJECTED,
            Reason.ALL_ATTEMPTS_FAILED,
            0,
            ["order_rejected", "order_submitted"] * 2 + ["order_rejected"],
        ),
        (
            ["again", "held", "ok"],
            S.UNKNOWN,
            None,
            1,
            ["order_rejected", "order_submitted", "order_unknown", "cooldown_set"],
        ),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else None,
)
def test_each_answer_is_what_it_is(
    answers: list[Answer], status: OrderStatus, reason: Reason | None, sent: int, told: list[str]
) -> None:
    desk = Desk(*answers)
    entered = desk.enter()
    assert isinstance(entered, EntryResult)
    assert entered.sent is not None
    assert (entered.sent.order.status, entered.sent.reason) == (status, reason)
    assert len(desk.sent) == sent
    assert desk.names[3:] == told
    assert desk.ledger.locks == {SYMBOL: entered.plan.decision_key}, "only following lets go of a symbol"


def test_another_attempt_is_another_order_of_the_same_decision() -> None:
    desk = Desk("again", "again", "ok")
    entered = desk.enter()
    assert isinstance(entered, EntryResult)
    key = entered.plan.decision_key
    assert desk.sent == [client_order_id(Role.ENTRY, key, attempt=2)]
    orders = desk.ledger.book(SYMBOL, NOW).orders
    assert [order.status for order in orders] == [S.REJECTED, S.REJECTED, S.SUBMITTED]


def test_a_switch_that_goes_off_after_the_claim_stops_the_bytes() -> None:
    desk = Desk()
    desk.off = {"SYMBOL:BTCUSDT": "no"}
    entered = desk.enter()
    assert isinstance(entered, EntryResult)
    assert entered.sent is not None
    assert (entered.sent.order.status, entered.sent.reason) == (S.DENIED, Reason.KILL_SWITCH_SYMBOL)
    assert desk.sent == []


def test_without_its_leverage_nothing_is_sent() -> None:
    class Stubborn(TinyExchange):
        def set_leverage(self, symbol: str, leverage: int) -> None:
            raise BrokerUnknown("no answer")

    desk = Desk()
    desk.exchange = Stubborn(SYMBOL, NOW)
    entered = desk.enter()
    assert isinstance(entered, EntryResult)
    assert entered.sent is not None
    assert (entered.sent.reason, desk.sent) == (Reason.LEVERAGE_NOT_SET, [])


def test_a_leverage_confirmed_before_is_not_set_again() -> None:
    desk = Desk()
    first = desk.enter()
    assert isinstance(first, EntryResult)
    _forgotten(desk, first)
    again = desk.enter(side=Side.SHORT, account=account("1001"))
    assert isinstance(again, EntryResult)
    assert desk.exchange.leverages == [first.plan.leverage]


def test_a_leverage_is_set_again_when_another_claim_came_after_the_state_was_told() -> None:
    desk = Desk()
    first = desk.enter()
    assert isinstance(first, EntryResult)
    _forgotten(desk, first)
    state = desk.ledger.state([SYMBOL], NOW)
    key = first.plan.decision_key.replace(first.plan.profile, "other", 1)
    other = replace(first.plan, decision_key=key, client_order_id=client_order_id(Role.ENTRY, key))
    assert isinstance(desk.ledger.claim(other, NOW), Claimed)
    denied = replace(TrackedOrder.of(other), status=S.DENIED)
    desk.ledger.record([events.OrderDenied(symbol=SYMBOL, at=NOW, order=denied, reason=Reason.RATE_LIMITED)])
    desk.ledger.locks.clear()
    again = desk.enter(state, Side.SHORT, account=account("1001"))
    assert isinstance(again, EntryResult)
    assert desk.exchange.leverages == [first.plan.leverage] * 2 == [again.plan.leverage] * 2


def _forgotten(desk: Desk, entered: EntryResult) -> None:
    """The symbol is free again: what was entered was filled, and closed long ago."""
    assert entered.sent is not None
    filled = replace(entered.sent.order, status=S.FILLED, filled=entered.plan.size)
    desk.ledger.record([events.OrderFilled(symbol=SYMBOL, at=NOW, order=filled)])
    desk.ledger.locks.clear()
    desk.ledger.cooldowns.clear()


def test_a_second_claim_of_the_same_decision_is_refused_and_sends_nothing() -> None:
    desk = Desk()
    assert isinstance(desk.enter(), EntryResult)
    again = desk.enter()
    assert isinstance(again, Refusal)
    assert again.reason == Reason.DUPLICATE_DECISION
    assert len(desk.sent) == 1
    assert desk.names[-1] == "plan_refused"


def test_a_plan_that_waits_for_a_person_sends_nothing() -> None:
    desk = Desk()
    entered = desk.enter(profile=profile(review=True))
    assert isinstance(entered, EntryResult)
    assert entered.sent is None
    assert (desk.sent, desk.exchange.leverages) == ([], [])
    claimed = desk.ledger.recorded[-1]
    assert isinstance(claimed, events.PlanClaimed)
    assert claimed.status == S.PENDING_REVIEW


def test_an_approved_plan_is_sent_through_the_same_claim() -> None:
    desk = Desk(review=True)
    waiting = desk.enter()
    assert isinstance(waiting, EntryResult)
    desk.ledger.approve(waiting.plan.decision_key)
    entered = desk.enter(approved=waiting.plan)
    assert isinstance(entered, EntryResult)
    assert entered.sent is not None
    assert entered.sent.order.status == S.SUBMITTED
    assert len(desk.sent) == 1


def test_a_market_far_from_the_zone_leaves_its_facts() -> None:
    desk = Desk()
    refusal = desk.enter(features=features(sma21=51_000.0))
    assert isinstance(refusal, Refusal)
    said, skipped = desk.ledger.recorded
    assert isinstance(said, events.PlanRefused)
    assert isinstance(skipped, events.ZoneSkipped)
    assert said.decision_key == "scalper_micro|BTCUSDT|1m|2026-03-02T09:59:00Z|long"
    # (51,000 - 42 - 50,000) / 50,000 = 1.916 %, beyond 1.5 times the limit of 1.2 %
    assert (skipped.deviation_pct, skipped.category) == (
        D("1.916"),
        events.ZoneCategory.FAR_OUTSIDE,
    )
    assert (skipped.limit_pct, skipped.volume_ratio) == (D("1.2"), D("1.5"))
