"""Lists that lag each other, answer empty, or hold rows nobody can read, beside orders of other hands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from apps.engine import events
from apps.engine.ports.account import BrokerUnavailable
from apps.engine.values.order import OrderStatus
from apps.engine.values.position import Side
from apps.exchange.bitmart import broker
from apps.live.models import WatchState
from apps.orders import store as orders
from apps.orders.models import AccountTransaction, ExchangeOrder, Fill, Position, SymbolLock
from tests.live.watching import ACCOUNT, OTHER, SYMBOL, D, House, told

POSITIONS = "/contract/private/position-v2"
PLANS = "/contract/private/current-plan-order"
TRADES = "/contract/private/trades"
OPEN = "/contract/private/get-open-orders"
LEDGER = "/contract/private/transaction-history"
MANY = 1000


def test_a_position_that_its_list_stops_showing_keeps_its_stop_its_target_and_its_lock(house: House) -> None:
    house.enter()
    house.until(house.is_protected)
    house.exchange.switch(empty_lists={POSITIONS: MANY})
    house.until(lambda: "position_flat_seen" in told())
    house.work(4)
    assert len(house.books()["protections"]) == 2
    assert not house.is_free()
    house.exchange.switch(empty_lists={})
    house.until(lambda: Position.objects.get().flat_since is None)
    assert house.is_protected()
    assert not {"position_closed", "position_foreign", "naked"} & set(told())


@pytest.mark.parametrize(
    "lagging", [[POSITIONS], [PLANS], [TRADES], [OPEN], [POSITIONS, TRADES], [PLANS, OPEN]]
)
def test_lists_of_different_moments_never_cost_a_stop(house: House, lagging: list[str]) -> None:
    house.exchange.switch(lag_lists_s=dict.fromkeys(lagging, 3))
    house.enter()
    house.until(lambda: bool(house.books()["positions"]))
    for _ in range(6):
        house.work(1)
        assert len(house.stops()) >= 1, told()
    assert not {"emergency_close", "position_foreign"} & set(told())
    house.exchange.switch(lag_lists_s={})
    house.until(house.is_protected)
    assert Position.objects.count() == 1


def test_what_was_believed_closed_and_is_there_again_is_ours_and_protected(house: House) -> None:
    house.enter()
    house.until(house.is_protected)
    held = orders.book(ACCOUNT, SYMBOL, house.clock()).positions[0]
    house.ledger.record([events.PositionClosed(symbol=SYMBOL, at=house.clock(), position=held)])
    SymbolLock.objects.update(released_at=house.clock())
    house.until(lambda: Position.objects.count() == 2)
    house.until(house.is_protected)
    assert "position_foreign" not in told()
    assert not house.is_free()
    assert Position.objects.latest("id").decision_key == held.decision_key


@pytest.mark.parametrize(
    "garbled",
    [
        {f"{POSITIONS} {OTHER} liquidation_price": ""},
        {f"{POSITIONS} {OTHER} mark_price": "", f"{POSITIONS} {OTHER} unrealized_pnl": "?"},
        {f"{POSITIONS} {OTHER} entry_price": ""},
        {f"{POSITIONS} {OTHER} position_side": "sideways"},
        {f"{TRADES} {OTHER} exec_type": "adl"},
        {f"{TRADES} {OTHER} price": ""},
        {f"{PLANS} {OTHER} trigger_price": ""},
    ],
)
def test_a_row_that_cannot_be_read_concerns_its_symbol(house: House, garbled: dict[str, Any]) -> None:
    house.trade_by_hand(Side.LONG, opens=True, symbol=OTHER)
    house.exchange.switch(garble_rows=garbled, preset_on_partial="never")
    house.restart()
    house.until(lambda: house.health().reconciled)
    house.enter()
    house.until(house.is_protected)
    is_occupied = house.ledger.state([OTHER], house.clock()).symbol(OTHER).occupied
    assert is_occupied or OTHER in house.health().unknown, "nothing opens beside it"
    assert SYMBOL not in house.health().unknown
    assert WatchState.objects.get().read_at is not None


def test_an_order_row_that_cannot_be_read_blocks_its_symbol_and_no_other(house: House) -> None:
    house.enter(OTHER, away_pct="1")
    house.until(lambda: bool(house.broker.orders(OTHER)))
    house.exchange.switch(garble_rows={f"{OPEN} {OTHER} deal_size": ""}, preset_on_partial="never")
    house.enter()
    house.until(house.is_protected)
    house.until(lambda: OTHER in house.health().unknown)
    assert house.health().reconciled
    assert SYMBOL not in house.health().unknown


def test_a_ledger_line_of_an_unknown_kind_is_money_that_moved_and_stops_nothing(house: House) -> None:
    house.exchange.switch(garble_rows={f"{LEDGER} * flow_type": 99, f"{LEDGER} * type": "Airdrop"})
    house.enter()
    house.until(house.is_protected)
    house.clock.push(61)
    house.until(lambda: AccountTransaction.objects.filter(kind="other").exists())
    house.clock.push(-61)
    house.restart()
    house.until(lambda: house.health().reconciled)


def test_trades_of_an_unknown_kind_count_as_trades(house: House) -> None:
    house.exchange.switch(garble_rows={f"{TRADES} * exec_type": "liquidate"})
    plan = house.enter()
    house.until(lambda: Fill.objects.filter(opens=True).exists())
    assert sum(fill.size for fill in Fill.objects.all()) == plan.size


def test_a_page_full_of_others_orders_hides_nothing_of_ours(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "OPEN_ROWS", 5)
    quote = house.broker.quote(OTHER)
    for _ in range(5):
        house.rest_by_hand(Side.LONG, quote.bid * D("0.9"), symbol=OTHER)
    house.exchange.switch(preset_on_partial="never")
    house.enter()
    house.until(house.is_protected)
    house.restart()
    house.until(lambda: house.health().reconciled)


def test_a_position_opened_by_hand_beside_our_resting_entry_is_never_touched(house: House) -> None:
    plan = house.enter(away_pct="1")
    house.until(lambda: house.order_status(plan) == "SUBMITTED")
    house.trade_by_hand(Side.LONG, opens=True)
    house.until(lambda: house.position_status() == "FOREIGN")
    house.until(lambda: house.order_status(plan) == "CANCELLED")
    house.clock.push(30)
    house.work(2)
    books = house.books()
    assert [row["size"] for row in books["positions"]] == [1]
    assert books["protections"] == []
    assert not {"emergency_close", "protection_asked"} & set(told())
    house.until(house.is_free)


def test_a_position_by_hand_on_the_other_side_does_not_hold_our_lock(house: House) -> None:
    plan = house.enter(away_pct="1")
    house.trade_by_hand(Side.SHORT, opens=True)
    house.until(lambda: house.position_status() == "FOREIGN")
    house.clock.push(61)
    house.until(house.is_free)
    assert house.order_status(plan) == "EXPIRED"
    assert house.ledger.state([SYMBOL], house.clock()).symbol(SYMBOL).occupied


def test_a_fill_after_the_locks_end_counts_is_protected_and_leaves_nothing_behind(house: House) -> None:
    house.exchange.switch(fill_after_cancel=1, lag_lists_s={OPEN: 0})
    plan = house.enter(away_pct="1")
    house.until(lambda: house.order_status(plan) == "SUBMITTED")
    order = ExchangeOrder.objects.get()
    gone = orders.book(ACCOUNT, SYMBOL, house.clock()).orders[0]
    house.broker.cancel(SYMBOL, order.client_order_id)
    over = events.OrderCancelled(
        symbol=SYMBOL, at=house.clock(), order=replace(gone, status=OrderStatus.CANCELLED)
    )
    house.ledger.record([over])
    SymbolLock.objects.update(released_at=house.clock())
    house.until(house.is_protected)
    state = house.ledger.state([SYMBOL], house.clock())
    assert state.symbol(SYMBOL).locked_by == plan.decision_key
    assert [exposure.decision_key for exposure in state.exposures] == [plan.decision_key]
    house.trade_by_hand(Side.LONG, opens=False, size=plan.size)
    house.until(house.is_free)
    assert house.books()["protections"] == []
    assert not house.ledger.state([SYMBOL], house.clock()).symbol(SYMBOL).occupied


def test_an_order_believed_over_that_rests_is_cancelled(house: House) -> None:
    plan = house.enter(away_pct="1")
    house.until(lambda: house.order_status(plan) == "SUBMITTED")
    gone = orders.book(ACCOUNT, SYMBOL, house.clock()).orders[0]
    cancelled = replace(gone, status=OrderStatus.CANCELLED)
    house.ledger.record([events.OrderCancelled(symbol=SYMBOL, at=house.clock(), order=cancelled)])
    SymbolLock.objects.update(released_at=house.clock())
    house.clock.push(61)
    house.until(lambda: not house.broker.orders(SYMBOL))
    house.until(house.is_free)


def test_a_reconciliation_that_keeps_failing_stops_entries(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: Any) -> Any:
        raise BrokerUnavailable("no ledger today")

    monkeypatch.setattr(house.broker, "transactions", unavailable)
    monkeypatch.setattr(house.broker, "position_mode", unavailable)
    house.clock.push(61)
    house.until(lambda: "the position mode cannot be read" in house.health().unhealthy)
    assert WatchState.objects.get().drift_ms is not None, "what was measured counts"
    WatchState.objects.update(reconciled_at=house.clock() - timedelta(minutes=4))
    assert not house.health().reconciled
