"""Stops, targets, plan and trailing orders; liquidation, funding and the dead man's switch."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.exchange.simulator.account.margin import position_margin
from apps.exchange.simulator.account.rows import ZERO, Plan, Presets
from apps.exchange.simulator.codes import (
    CLEARANCE,
    FALLS,
    FUNDING,
    LIVE,
    LONG,
    OVER,
    QUANTITY,
    RISES,
    SHORT,
    WHOLE,
)
from apps.exchange.simulator.matching import orders, triggers
from tests.simulator.arena import LISTING, Arena

BOTH = Presets(take_profit=Decimal(1020), take_profit_type=1, stop_loss=Decimal(990), stop_loss_type=1)


def protect(arena: Arena, trigger: object, *, stop: bool, side: int = 3, **more: object) -> Plan:
    blank = orders.protection_plan(
        arena.account,
        "XUSDT",
        stop=stop,
        side=side,
        trigger_price=Decimal(str(trigger)),
        price_type=1,
        at_ms=0,
    )
    return orders.place_plan(arena.matching, replace(blank, **{"category": WHOLE} | more))  # type: ignore[arg-type]  # fields


def live_sizes(arena: Arena) -> dict[str, int]:
    return {plan.kind: plan.size for plan in arena.account.live_plans()}


@pytest.mark.parametrize(
    ("opens", "closes", "stop", "trigger", "still", "fires"),
    [
        (1, 3, True, 990, 990.1, 990),
        (1, 3, False, 1010, 1009.9, 1010),
        (4, 2, True, 1010, 1009.9, 1010),
        (4, 2, False, 990, 990.1, 990),
    ],
)
def test_protection_closes_the_whole_position_at_market_when_the_last_price_reaches_it(
    opens: int, closes: int, stop: bool, trigger: int, still: float, fires: float
) -> None:
    arena = Arena()
    arena.place(opens, 50, leverage=10)
    plan = protect(arena, trigger, stop=stop, side=closes)
    arena.move(still)
    assert arena.account.is_live(plan)
    arena.move(fires)
    assert arena.account.open_positions() == []
    born = list(arena.account.orders.values())[-1]
    assert (born.client_order_id, born.plan_order_id, born.kind) == (
        f"PLAN_{plan.order_id}",
        plan.order_id,
        "market",
    )


def test_a_trigger_by_fair_price_looks_at_the_mark() -> None:
    arena = Arena()
    arena.place(1, 50, leverage=10)
    plan = protect(arena, 990, stop=True, price_type=2)
    arena.move(980, mark=995)
    assert arena.account.is_live(plan)
    arena.move(980, mark=990)
    assert not arena.account.is_live(plan)


def test_the_stop_goes_before_the_target_when_both_are_due() -> None:
    arena = Arena()
    arena.place(1, 50, leverage=10)
    target = protect(arena, 980, stop=False)
    stop = protect(arena, 990, stop=True)
    arena.move(985)
    fired = [order.plan_order_id for order in arena.account.orders.values() if order.plan_order_id]
    assert fired == [stop.order_id]
    assert arena.account.plans[target.key].state == OVER


@pytest.mark.parametrize(
    ("rule", "after_part", "after_all"),
    [
        ("first_fill", {"stop_loss": 4, "take_profit": 4}, {"stop_loss": 10, "take_profit": 10}),
        ("complete", {}, {"stop_loss": 10, "take_profit": 10}),
        ("never", {}, {}),
    ],
)
def test_presets_are_armed_as_the_switch_says(
    rule: str, after_part: dict[str, int], after_all: dict[str, int]
) -> None:
    arena = Arena(preset_on_partial=rule)
    arena.volume = 40
    arena.place(1, 10, "999.0", presets=BOTH, leverage=10)
    arena.move(998.5)
    assert live_sizes(arena) == after_part
    arena.at_s = 120
    arena.volume = 10_000
    arena.move(998.5)
    assert live_sizes(arena) == after_all


def test_a_quantity_stop_outlives_its_position_and_a_whole_one_does_not() -> None:
    arena = Arena()
    arena.place(1, 50, presets=BOTH, leverage=10)
    whole = protect(arena, 985, stop=True)
    arena.place(3, 50)
    assert arena.account.plans[whole.key].state == OVER
    assert live_sizes(arena) == {"stop_loss": 50, "take_profit": 50}
    arena.move(990)
    assert live_sizes(arena) == {"take_profit": 50}
    assert arena.account.open_positions() == []


def test_a_stop_fires_though_a_closing_order_holds_the_position() -> None:
    arena = Arena()
    arena.place(1, 50, leverage=10)
    resting = arena.place(3, 50, 1010)
    protect(arena, 990, stop=True)
    arena.move(989)
    assert arena.account.open_positions() == []
    assert arena.order(resting).state == OVER
    assert arena.order(resting).filled == 0


def test_a_stop_closes_more_than_the_largest_market_order() -> None:
    arena = Arena(last="1.0")
    for _ in range(2):
        arena.depth = 2_000
        arena.place(1, 5_000, leverage=10)
    protect(arena, "0.9", stop=True)
    arena.move("0.9")
    assert arena.account.open_positions() == []


@pytest.mark.parametrize(("way", "trigger", "price"), [(RISES, 1010, 1010), (FALLS, 990, 990)])
def test_a_plan_order_opens_when_its_trigger_is_reached(way: int, trigger: int, price: int) -> None:
    arena = Arena()
    plan = Plan(
        0, "XUSDT", 1, "plan", 1, 20, Decimal(trigger), way, 1, ZERO, 0, 10, "isolated", "hedge_mode", 0, 0
    )
    orders.place_plan(arena.matching, plan)
    arena.move(1000)
    assert arena.account.open_positions() == []
    arena.move(price)
    assert arena.held(LONG).size == 20


def test_a_plan_whose_order_cannot_be_paid_ends_without_one() -> None:
    arena = Arena()
    plan = Plan(
        0,
        "XUSDT",
        1,
        "plan",
        1,
        4000,
        Decimal(990),
        FALLS,
        1,
        Decimal(990),
        0,
        1,
        "isolated",
        "hedge_mode",
        0,
        0,
    )
    plan = orders.place_plan(arena.matching, plan)
    arena.move(980)
    assert arena.account.plans[plan.key].state == OVER
    assert arena.account.orders == {}


def test_a_trailing_order_follows_the_best_price_once_it_is_active() -> None:
    arena = Arena()
    arena.place(1, 50, leverage=10)
    plan = Plan(
        0, "XUSDT", 3, "trailing", 1, 50, Decimal(1010), RISES, 1, ZERO, 0, 10, "isolated", "hedge_mode", 0, 0
    )
    plan = orders.place_plan(arena.matching, replace(plan, callback_pct=Decimal(1)))
    arena.move(995, 1009)
    assert arena.account.plans[plan.key].peak == 0
    arena.move(1050, 1040)
    assert arena.account.open_positions()
    arena.move(1039.5)
    assert arena.account.open_positions() == []


@pytest.mark.parametrize(
    ("side", "position_type", "mark"), [(1, LONG, 900), (4, SHORT, 1100), (1, LONG, 700)]
)
def test_liquidation_costs_the_margin_exactly_wherever_the_mark_has_run(
    side: int, position_type: int, mark: int
) -> None:
    arena = Arena()
    arena.place(side, 50, leverage=10)
    arena.place(1 if side == 4 else 4, 20, leverage=10)
    before, at_stake = arena.account.wallet.cash, position_margin(LISTING, arena.held(position_type))
    arena.move(1000, mark=mark)
    assert arena.held(position_type).size == 0
    assert before - arena.account.wallet.cash == at_stake
    assert list(arena.account.ledger_lines.values())[-1].flow_type == CLEARANCE
    assert list(arena.account.orders.values())[-1].kind == "liquidate"


def test_funding_is_paid_by_longs_to_shorts_at_the_mark() -> None:
    arena = Arena()
    arena.place(1, 50)
    arena.place(4, 20)
    arena.mark = Decimal(990)
    before = arena.account.wallet.cash
    triggers.pay_funding(arena.account, arena.tick, Decimal("0.0001"))
    paid = Decimal(990) * Decimal("0.0001") / 1000
    assert before - arena.account.wallet.cash == paid * 30
    assert (arena.held(LONG).funding, arena.held(SHORT).funding) == (paid * 50, -paid * 20)
    assert [entry.flow_type for entry in arena.account.ledger_lines.values()][-2:] == [FUNDING, FUNDING]


def test_the_dead_mans_switch_takes_orders_and_leaves_plans() -> None:
    arena = Arena()
    arena.place(1, 50, presets=BOTH, leverage=10)
    arena.place(1, 10, 900)
    arena.place(3, 10, 1100)
    arena.account.put(replace(arena.account.contract("XUSDT"), cancel_at_ms=5000))
    arena.move(*[1000] * 4)
    assert len(arena.account.live_orders()) == 2
    arena.move(1000)
    assert arena.account.live_orders() == []
    assert live_sizes(arena) == {"stop_loss": 50, "take_profit": 50}
    assert arena.account.contract("XUSDT").cancel_at_ms == 0


def test_a_new_plan_is_live_and_of_a_quantity() -> None:
    arena = Arena()
    arena.place(1, 50)
    plan = protect(arena, 990, stop=True, category=QUANTITY, size=20)
    assert (plan.state, plan.size) == (LIVE, 20)
    arena.move(990)
    assert arena.held(LONG).size == 30
