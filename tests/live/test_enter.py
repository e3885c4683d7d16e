"""From a READY verdict to an order at a real local exchange, or to the reason why there is none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from apps.audit.models import TradeLifecycleEvent
from apps.engine.cycle import EntryResult
from apps.engine.values.candle import Source
from apps.engine.values.order import OrderStatus
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.timeframe import Timeframe
from apps.live.enter.decision import NotReady
from apps.live.enter.dispatch import entries_to_send
from apps.live.enter.outcome import outcome_counts
from apps.live.enter.symbol_entry import enter_symbol
from apps.live.models import MtfRun, WatchState
from apps.market import store as market
from apps.orders.models import ExchangeOrder, OrderPlan, SymbolLock
from apps.switches import store as switches
from benchmarks.trading.always import ENTRY, always, loaded
from tests.live.trading import SYMBOL, Desk
from tests.system.until import until

pytestmark = pytest.mark.django_db(transaction=True)


def entered(desk: Desk, run: MtfRun) -> EntryResult | Refusal:
    return enter_symbol(str(run.run_id), SYMBOL, clock=desk.clock)


def test_a_ready_verdict_becomes_one_order_with_its_stop_and_target(desk: Desk) -> None:
    [run] = desk.decide(always())
    outcome = entered(desk, run)
    assert isinstance(outcome, EntryResult), outcome
    assert outcome.sent is not None
    assert outcome.sent.order.status == OrderStatus.SUBMITTED, outcome.sent
    [order] = desk.arrived()
    plan = outcome.plan
    assert order["client_order_id"] == plan.client_order_id
    assert (order["size"], order["leverage"]) == (int(plan.size), plan.leverage)
    presets = order["presets"]
    assert (Decimal(presets["stop_loss"]), Decimal(presets["take_profit"])) == (plan.stop, plan.target)
    row = OrderPlan.objects.get()
    assert (row.status, row.decision_key, row.run_id) == ("SUBMITTED", plan.decision_key, run.run_id)
    assert row.context_json["verdict"]["symbol"] == SYMBOL
    assert ExchangeOrder.objects.get().exchange_order_id == str(order["order_id"])
    assert SymbolLock.objects.get().released_at is None
    happened = TradeLifecycleEvent.objects.order_by("id").values_list("event_type", "run_id")
    expected = ["plan_made", "plan_claimed", "order_submitted", "order_acknowledged", "cooldown_set"]
    assert list(happened) == [(name, run.run_id) for name in expected]


def test_a_ready_verdict_becomes_the_orders_its_profile_scales_in_by(desk: Desk) -> None:
    [run] = desk.decide(
        always(entry=ENTRY | {"scaling": [0.5, 0.3, 0.2], "zone": ENTRY["zone"] | {"w_min": 0.004}})
    )
    outcome = entered(desk, run)
    assert isinstance(outcome, EntryResult), outcome
    orders = sorted(desk.arrived(), key=lambda order: int(order["order_id"]))
    assert [(Decimal(order["price"]), int(order["size"])) for order in orders] == [
        (tranche.price, int(tranche.size)) for tranche in outcome.plan.tranches
    ]
    rows = ExchangeOrder.objects.order_by("tranche")
    assert [row.exchange_order_id for row in rows] == [str(order["order_id"]) for order in orders]
    assert [row.part for row in rows] == ["1/3", "2/3", "3/3"]
    assert SymbolLock.objects.filter(released_at=None).count() == 1


def test_a_task_delivered_twice_sends_no_second_order(desk: Desk) -> None:
    [run] = desk.decide(always())
    assert isinstance(entered(desk, run), EntryResult)
    again = entered(desk, run)
    assert isinstance(again, Refusal)
    assert again.reason == Reason.DUPLICATE_DECISION
    assert len(desk.arrived()) == 1
    assert outcome_counts([run])[run.run_id] == {"submitted": 1, "refused: duplicate_decision": 1}


def test_of_two_profiles_ready_on_one_symbol_the_first_one_trades_and_the_other_is_refused(
    desk: Desk,
) -> None:
    contents = always("second"), always("first")
    runs = {run.profile: run for run in desk.decide(*contents)}
    order = [loaded(always(name)) for name in ("first", "second")]
    wanted = entries_to_send(list(runs.values()), order, desk.clock())
    assert wanted == {SYMBOL: [str(runs["first"].run_id), str(runs["second"].run_id)]}
    outcomes = [enter_symbol(run_id, SYMBOL, clock=desk.clock) for run_id in wanted[SYMBOL]]
    assert isinstance(outcomes[0], EntryResult)
    assert isinstance(outcomes[1], Refusal)
    assert outcomes[1].reason == Reason.SYMBOL_LOCKED
    assert [order["client_order_id"] for order in desk.arrived()] == [outcomes[0].plan.client_order_id]


def test_a_profile_without_an_entry_section_only_judges(desk: Desk) -> None:
    judging = always("judging", entry=None)
    [run] = desk.decide(judging)
    assert entries_to_send([run], [loaded(judging)], desk.clock()) == {}
    refused = entered(desk, run)
    assert isinstance(refused, Refusal)
    assert refused.reason == Reason.EXECUTION_TF_NOT_ALLOWED


def test_a_switch_turned_off_while_the_order_is_prepared_keeps_it_here(desk: Desk) -> None:
    [run] = desk.decide(always())
    desk.switch(route_latency_ms={"/contract/private/submit-leverage": 1000})
    outcomes: list[EntryResult | Refusal] = []

    def work() -> None:
        try:
            outcomes.append(entered(desk, run))
        finally:
            connection.close()

    sending = threading.Thread(target=work)
    sending.start()
    until("the plan is claimed", OrderPlan.objects.exists, patience_s=10, every_s=0.01)
    switches.set_switch("GLOBAL", is_on=False, reason="test", actor="ada")
    sending.join()
    [outcome] = outcomes
    assert isinstance(outcome, EntryResult)
    assert outcome.sent is not None
    assert (outcome.sent.order.status, outcome.sent.reason) == (OrderStatus.DENIED, Reason.KILL_SWITCH_GLOBAL)
    assert desk.arrived() == []
    assert OrderPlan.objects.get().status == "DENIED"


def corrected(desk: Desk) -> None:
    """The judged candle is not what the exchange tells."""
    start = desk.at - timedelta(minutes=1)
    [candle] = market.candles(SYMBOL, Timeframe.M1, start, desk.at)
    wrong = replace(candle, close=candle.low, volume=candle.volume + 1, source=Source.REST)
    market.save_candles([wrong])


def switched_off(desk: Desk) -> None:
    switches.set_switch(f"SYMBOL_TF:{SYMBOL}:5m", is_on=False, reason="test", actor="ada")


@pytest.mark.parametrize(
    ("disturb", "reason"),
    [
        (corrected, Reason.CANDLE_CORRECTED),
        (switched_off, Reason.KILL_SWITCH_SYMBOL_TF),
        (lambda _: WatchState.objects.all().delete(), Reason.NOT_RECONCILED),
        (lambda desk: desk.watched(reconciled_at=None), Reason.NOT_RECONCILED),
        (lambda desk: desk.watched(unhealthy="the clocks differ by 4 s"), Reason.VENUE_UNHEALTHY),
        pytest.param(
            lambda desk: desk.switch(answer_503=1000), Reason.VENUE_UNREACHABLE, marks=pytest.mark.slow
        ),
        (
            lambda desk: desk.switch(missing_candles=[f"{SYMBOL}@{int(desk.at.timestamp()) - 60}"]),
            Reason.CANDLE_LATE,
        ),
        (
            lambda desk: desk.switch(reject={"/contract/private/assets-detail": 40012}),
            Reason.BUDGET_UNAVAILABLE,
        ),
    ],
)
def test_what_forbids_an_entry_is_recorded_and_nothing_leaves(
    disturb: Callable[[Desk], Any], reason: Reason, desk: Desk
) -> None:
    [run] = desk.decide(always())
    disturb(desk)
    outcome = entered(desk, run)
    assert isinstance(outcome, Refusal), outcome
    assert outcome.reason == reason
    event = TradeLifecycleEvent.objects.get()
    assert (event.event_type, event.reason_code, event.run_id) == ("plan_refused", reason, run.run_id)
    assert not OrderPlan.objects.exists()
    desk.switch(answer_503=0)
    assert desk.arrived() == []


def test_a_corrected_candle_is_stored_and_the_next_decision_may_be_traded(desk: Desk) -> None:
    [run] = desk.decide(always())
    start = desk.at - timedelta(minutes=1)
    [candle] = market.candles(SYMBOL, Timeframe.M1, start, desk.at)
    corrected(desk)
    assert isinstance(entered(desk, run), Refusal)
    [stored] = market.candles(SYMBOL, Timeframe.M1, start, desk.at)
    assert (stored.close, stored.volume) == (candle.close, candle.volume)
    [again] = desk.decide(always())
    assert isinstance(entered(desk, again), EntryResult)


@pytest.mark.parametrize(
    ("age_s", "entry", "reason"),
    [
        (61, ENTRY | {"max_signal_age_s": 300}, Reason.DECISION_TOO_OLD),
        (31, ENTRY | {"max_signal_age_s": 30}, Reason.SIGNAL_TOO_OLD),
    ],
)
def test_a_decision_that_is_too_old_is_not_entered(
    age_s: float, entry: dict[str, Any], reason: Reason, desk: Desk
) -> None:
    [run] = desk.decide(always(entry=entry))
    late = desk.at + timedelta(seconds=age_s)
    outcome = enter_symbol(str(run.run_id), SYMBOL, clock=lambda: late)
    assert isinstance(outcome, Refusal)
    assert (outcome.reason, outcome.numbers["age_s"]) == (reason, age_s)
    assert not OrderPlan.objects.exists()


def test_what_no_run_decided_is_not_entered(desk: Desk) -> None:
    [run] = desk.decide(always(side="short"))
    with pytest.raises(NotReady, match="wrote no READY verdict of ETHUSDT"):
        enter_symbol(str(run.run_id), "ETHUSDT", clock=desk.clock)
    with pytest.raises(MtfRun.DoesNotExist):
        enter_symbol("11111111-2222-3333-4444-555555555555", SYMBOL, clock=desk.clock)


def test_a_fault_is_written_down_beside_the_trade_events(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    [run] = desk.decide(always())

    def broken(*_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("apps.live.enter.observation.stored_features", broken)
    with pytest.raises(RuntimeError):
        entered(desk, run)
    event = TradeLifecycleEvent.objects.get()
    assert (event.event_type, event.run_id) == ("call_failed", run.run_id)
    assert event.extra == {"call": "enter", "detail": "RuntimeError: the disk is full"}
