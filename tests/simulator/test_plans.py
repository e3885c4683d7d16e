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
from tests.simulator.handmade_exchange import LISTING, HandmadeExchange

BOTH = Presets(take_profit=Decimal(1020), take_profit_type=1, stop_loss=Decimal(990), stop_loss_type=1)


def protect(
    exchange: HandmadeExchange, trigger: object, *, stop: bool, side: int = 3, **more: object
) -> Plan:
    blank = orders.protection_plan(
        exchange.account,
        "XUSDT",
        stop=stop,
        side=side,
        trigger_price=Decimal(str(trigger)),
        price_type=1,
        at_ms=0,
    )
    return orders.place_plan(exchange.matching, replace(blank, **{"category": WHOLE} | more))  # type: ignore[arg-type]  # fields


def live_sizes(exchange: HandmadeExchange) -> dict[str, int]:
    return {plan.kind: plan.size for plan in exchange.account.live_plans()}


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
    exchange = HandmadeExchange()
    exchange.place(opens, 50, leverage=10)
    plan = protect(exchange, trigger, stop=stop, side=closes)
    exchange.move(still)
    assert exchange.account.is_live(plan)
    exchange.move(fires)
    assert exchange.account.open_positions() == []
    born = list(exchange.account.orders.values())[-1]
    assert (born.client_order_id, born.plan_order_id, born.kind) == (
        f"PLAN_{plan.order_id}",
        plan.order_id,
        "market",
    )


def test_a_trigger_by_fair_price_looks_at_the_mark() -> None:
    exchange = HandmadeExchange()
    exchange.place(1, 50, leverage=10)
    plan = protect(exchange, 990, stop=True, price_type=2)
    exchange.move(980, mark=995)
    assert exchange.account.is_live(plan)
    exchange.move(980, mark=990)
    assert not exchange.account.is_live(plan)


def test_the_stop_goes_before_the_target_when_both_are_due() -> None:
    exchange = HandmadeExchange()
    exchange.place(1, 50, leverage=10)
    target = protect(exchange, 980, stop=False)
    stop = protect(exchange, 990, stop=True)
    exchange.move(985)
    fired = [order.plan_order_id for order in exchange.account.orders.values() if order.plan_order_id]
    assert fired == [stop.order_id]
    assert exchange.account.plans[target.key].state == OVER


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
    exchange = HandmadeExchange(preset_on_partial=rule)
    exchange.volume = 40
    exchange.place(1, 10, "999.0", presets=BOTH, leverage=10)
    exchange.move(998.5)
    assert live_sizes(exchange) == after_part
    exchange.at_s = 120
    exchange.volume = 10_000
    exchange.move(998.5)
    assert live_sizes(exchange) == after_all


def test_a_quantity_stop_outlives_its_position_and_a_whole_one_does_not() -> None:
    exchange = HandmadeExchange()
    exchange.place(1, 50, presets=BOTH, leverage=10)
    whole = protect(exchange, 985, stop=True)
    exchange.place(3, 50)
    assert exchange.account.plans[whole.key].state == OVER
    assert live_sizes(exchange) == {"stop_loss": 50, "take_profit": 50}
    exchange.move(990)
    assert live_sizes(exchange) == {"take_profit": 50}
    assert exchange.account.open_positions() == []


def test_a_stop_fires_though_a_closing_order_holds_the_position() -> None:
    exchange = HandmadeExchange()
    exchange.place(1, 50, leverage=10)
    resting = exchange.place(3, 50, 1010)
    protect(exchange, 990, stop=True)
    exchange.move(989)
    assert exchange.account.open_positions() == []
    assert exchange.order(resting).state == OVER
    assert exchange.order(resting).filled == 0


def test_a_stop_closes_more_than_the_largest_market_order() -> None:
    exchange = HandmadeExchange(last="1.0")
    for _ in range(2):
        exchange.depth = 2_000
        exchange.place(1, 5_000, leverage=10)
    protect(exchange, "0.9", stop=True)
    exchange.move("0.9")
    assert exchange.account.open_positions() == []


@pytest.mark.parametrize(("way", "trigger", "price"), [(RISES, 1010, 1010), (FALLS, 990, 990)])
def test_a_plan_order_opens_when_its_trigger_is_reached(way: int, trigger: int, price: int) -> None:
    exchange = HandmadeExchange()
    plan = Plan(
        0, "XUSDT", 1, "plan", 1, 20, Decimal(trigger), way, 1, ZERO, 0, 10, "isolated", "hedge_mode", 0, 0
    )
    orders.place_plan(exchange.matching, plan)
    exchange.move(1000)
    assert exchange.account.open_positions() == []
    exchange.move(price)
    assert exchange.held(LONG).size == 20


def test_a_plan_whose_order_cannot_be_paid_ends_without_one() -> None:
    exchange = HandmadeExchange()
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
    plan = orders.place_plan(exchange.matching, plan)
    exchange.move(980)
    assert exchange.account.plans[plan.key].state == OVER
    assert exchange.account.orders == {}


def test_a_trailing_order_follows_the_best_price_once_it_is_active() -> None:
    exchange = HandmadeExchange()
    exchange.place(1, 50, leverage=10)
    plan = Plan(
        0, "XUSDT", 3, "trailing", 1, 50, Decimal(1010), RISES, 1, ZERO, 0, 10, "isolated", "hedge_mode", 0, 0
    )
    plan = orders.place_plan(exchange.matching, replace(plan, callback_pct=Decimal(1)))
    exchange.move(995, 1009)
    assert exchange.account.plans[plan.key].peak == 0
    exchange.move(1050, 1040)
    assert exchange.account.open_positions()
    exchange.move(1039.5)
    assert exchange.account.open_positions() == []


@pytest.mark.parametrize(
    ("side", "position_type", "mark"), [(1, LONG, 900), (4, SHORT, 1100), (1, LONG, 700)]
)
def test_liquidation_costs_the_margin_exactly_wherever_the_mark_has_run(
    side: int, position_type: int, mark: int
) -> None:
    exchange = HandmadeExchange()
    exchange.place(side, 50, leverage=10)
    exchange.place(1 if side == 4 else 4, 20, leverage=10)
    before, at_stake = exchange.account.wallet.cash, position_margin(LISTING, exchange.held(position_type))
    exchange.move(1000, mark=mark)
    assert exchange.held(position_type).size == 0
    assert before - exchange.account.wallet.cash == at_stake
    assert list(exchange.account.ledger_lines.values())[-1].flow_type == CLEARANCE
    assert list(exchange.account.orders.values())[-1].kind == "liquidate"


def test_funding_is_paid_by_longs_to_shorts_at_the_mark() -> None:
    exchange = HandmadeExchange()
    exchange.place(1, 50)
    exchange.place(4, 20)
    exchange.mark = Decimal(990)
    before = exchange.account.wallet.cash
    triggers.pay_funding(exchange.account, exchange.tick, Decimal("0.0001"))
    paid = Decimal(990) * Decimal("0.0001") / 1000
    assert before - exchange.account.wallet.cash == paid * 30
    assert (exchange.held(LONG).funding, exchange.held(SHORT).funding) == (paid * 50, -paid * 20)
    assert [entry.flow_type for entry in exchange.account.ledger_lines.values()][-2:] == [FUNDING, FUNDING]


def test_the_dead_mans_switch_takes_orders_and_leaves_plans() -> None:
    exchange = HandmadeExchange()
    exchange.place(1, 50, presets=BOTH, leverage=10)
    entry, closing = exchange.place(1, 10, 900), exchange.place(3, 10, 1100)
    exchange.account.put(replace(exchange.account.contract("XUSDT"), cancel_at_ms=5000))
    exchange.move(*[1000] * 4)
    assert len(exchange.account.live_orders()) == 2
    exchange.move(1000)
    assert exchange.account.live_orders() == []
    assert all(exchange.account.orders[order.key].cancelled_by_dead_man for order in (entry, closing))
    assert live_sizes(exchange) == {"stop_loss": 50, "take_profit": 50}
    assert exchange.account.contract("XUSDT").cancel_at_ms == 0


def test_a_new_plan_is_live_and_of_a_quantity() -> None:
    exchange = HandmadeExchange()
    exchange.place(1, 50)
    plan = protect(exchange, 990, stop=True, category=QUANTITY, size=20)
    assert (plan.state, plan.size) == (LIVE, 20)
    exchange.move(990)
    assert exchange.held(LONG).size == 30
