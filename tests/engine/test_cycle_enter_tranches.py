"""Several orders of one decision: claimed together, sent one by one, and no more after one that failed."""

from __future__ import annotations

from typing import Any, cast

import pytest

from apps.engine.cycle import EntryResult
from apps.engine.ports.account import BrokerUnknown
from apps.engine.values.order import OrderStatus, Role, client_order_id
from apps.engine.values.reason import Reason
from tests.engine.test_cycle_enter import Desk
from tests.engine.tiny_exchange import Answer, TinyExchange
from tests.engine.trade_builder import NOW, SYMBOL, profile

S = OrderStatus
BY = profile(scaling=[0.5, 0.3, 0.2])


def entered(desk: Desk, **changes: Any) -> EntryResult:
    outcome = desk.enter(profile=BY, **changes)
    assert isinstance(outcome, EntryResult)
    return outcome


def statuses(desk: Desk) -> list[OrderStatus]:
    return [order.status for order in desk.ledger.book(SYMBOL, NOW).orders]


def test_the_leverage_is_set_once_and_the_nearest_leaves_first() -> None:
    desk = Desk()
    result = entered(desk)
    plan = result.plan
    assert desk.names == [
        *("plan_made", "plan_claimed", "order_submitted", "order_submitted", "order_submitted"),
        *("order_acknowledged", "cooldown_set", "order_acknowledged", "order_acknowledged"),
    ]
    assert desk.exchange.leverages == [plan.leverage]
    assert desk.sent == [client_order_id(Role.ENTRY, plan.decision_key, tranche=n) for n in range(3)]
    prices = [request.price for request in desk.exchange.requests]
    assert prices == [tranche.price for tranche in plan.tranches] == sorted(prices, reverse=True)
    assert result.sent is not None
    assert [each.order.part for each in (result.sent, *result.sent.further)] == ["1/3", "2/3", "3/3"]


class Watching(TinyExchange):
    """Looks into the ledger at the moment each order leaves."""

    desk: Desk

    def submit(self, request: Any, before_sending: Any = None) -> str:
        self.seen = [*getattr(self, "seen", []), statuses(self.desk)]
        return super().submit(request, before_sending)


def test_every_tranche_is_in_the_books_before_the_first_one_leaves() -> None:
    desk = Desk()
    exchange = desk.exchange = Watching(SYMBOL, NOW)
    exchange.desk = desk
    entered(desk)
    assert exchange.seen == [
        [S.SUBMITTING] * 3,
        [S.SUBMITTED, S.SUBMITTING, S.SUBMITTING],
        [S.SUBMITTED, S.SUBMITTED, S.SUBMITTING],
    ]


@pytest.mark.parametrize(
    ("answers", "expected", "reasons"),
    [
        (["held"], [S.UNKNOWN, S.DENIED, S.DENIED], [None, "earlier", "earlier"]),
        (["lost"], [S.UNKNOWN, S.DENIED, S.DENIED], [None, "earlier", "earlier"]),
        (["rejected"], [S.REJECTED, S.DENIED, S.DENIED], [None, "earlier", "earlier"]),
        (["full"], [S.DENIED] * 3, [Reason.RATE_LIMITED, "earlier", "earlier"]),
        (["ok", "rejected"], [S.SUBMITTED, S.REJECTED, S.DENIED], [None, None, "earlier"]),
        (["ok", "lost"], [S.SUBMITTED, S.UNKNOWN, S.DENIED], [None, None, "earlier"]),
        (["ok", "ok", "unreachable"], [S.SUBMITTED, S.SUBMITTED, S.DENIED], [None, None, "away"]),
        (["ok", "again", "ok", "ok"], [S.SUBMITTED] * 3, [None] * 3),
        (
            ["ok", "again", "again", "again", "ok"],
            [S.SUBMITTED, S.REJECTED, S.DENIED],
            [None, Reason.ALL_ATTEMPTS_FAILED, "earlier"],
        ),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) and isinstance(value[0], str) else None,
)
def test_after_a_tranche_that_was_not_taken_for_certain_none_is_sent(
    answers: list[Answer], expected: list[OrderStatus], reasons: list[Reason | str | None]
) -> None:
    words = {"earlier": Reason.EARLIER_TRANCHE_FAILED, "away": Reason.VENUE_UNREACHABLE}
    desk = Desk(*answers)
    sent = entered(desk).sent
    assert sent is not None
    results = (sent, *sent.further)
    assert [each.order.status for each in results] == expected
    assert [each.reason for each in results] == [words.get(str(reason), reason) for reason in reasons]
    newest = {order.tranche: order.status for order in desk.ledger.book(SYMBOL, NOW).orders}
    assert list(newest.values()) == expected
    assert desk.ledger.locks == {SYMBOL: client_key(desk)}, "only following lets go of a symbol"
    for each in results:
        if each.reason == Reason.EARLIER_TRANCHE_FAILED:
            assert each.detail.startswith("tranche ")
            assert each.detail.endswith(f"so {each.order.part} is not sent")


def client_key(desk: Desk) -> str:
    [key] = desk.ledger.plans
    return key


def test_another_attempt_of_a_tranche_has_an_id_of_its_own() -> None:
    desk = Desk("ok", "again", "ok", "ok")
    key = entered(desk).plan.decision_key
    ids = [(0, 0), (1, 1), (2, 0)]
    assert desk.sent == [
        client_order_id(Role.ENTRY, key, tranche=tranche, attempt=attempt) for tranche, attempt in ids
    ]


class Switching(TinyExchange):
    """A switch goes off while the second order waits for its turn."""

    desk: Desk

    def submit(self, request: Any, before_sending: Any = None) -> str:
        if self.requests:
            self.desk.off = {"GLOBAL": "enough"}
        return super().submit(request, before_sending)


def test_each_tranche_has_its_own_last_look_at_the_switches() -> None:
    desk = Desk()
    exchange = desk.exchange = Switching(SYMBOL, NOW)
    exchange.desk = desk
    sent = entered(desk).sent
    assert sent is not None
    assert len(desk.sent) == 1
    assert [each.reason for each in sent.further] == [
        Reason.KILL_SWITCH_GLOBAL,
        Reason.EARLIER_TRANCHE_FAILED,
    ]


class Stubborn(TinyExchange):
    def set_leverage(self, symbol: str, leverage: int) -> None:
        raise BrokerUnknown("no answer")


def test_without_their_leverage_none_is_sent_and_each_says_so() -> None:
    desk = Desk()
    desk.exchange = Stubborn(SYMBOL, NOW)
    sent = entered(desk).sent
    assert sent is not None
    assert {each.reason for each in (sent, *sent.further)} == {Reason.LEVERAGE_NOT_SET}
    assert statuses(desk) == [S.DENIED] * 3
    assert desk.sent == []


class PowerCut(BaseException):
    pass


class Dying(TinyExchange):
    """The machine ends after one order was taken and before the next one leaves."""

    def submit(self, request: Any, before_sending: Any = None) -> str:
        if self.requests:
            raise PowerCut
        return super().submit(request, before_sending)


def test_after_a_crash_between_two_sends_the_rest_is_in_the_books_as_about_to_leave() -> None:
    desk = Desk()
    desk.exchange = Dying(SYMBOL, NOW)
    with pytest.raises(PowerCut):
        desk.enter(profile=BY)
    assert statuses(desk) == [S.SUBMITTED, S.SUBMITTING, S.SUBMITTING]
    assert len(cast(Dying, desk.exchange).requests) == 1


def test_a_plan_that_waits_for_a_person_sends_no_tranche_and_an_approved_one_all() -> None:
    desk = Desk(review=True)
    waiting = entered(desk)
    assert (waiting.sent, desk.sent) == (None, [])
    desk.ledger.approve(waiting.plan.decision_key)
    entered(desk, approved=waiting.plan)
    assert len(desk.sent) == 3
