"""The Broker port: what every implementation keeps, whatever exchange is behind it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.engine.ports.account import Broker, BrokerRateLimited, BrokerRejected, BrokerUnknown
from apps.engine.values.contract import Contract
from apps.engine.values.order import (
    OrderRequest,
    OrderStatus,
    ProtectionKind,
    Role,
    TimeInForce,
    client_order_id,
)
from apps.engine.values.position import PositionMode, Side, TransactionKind
from apps.exchange.simulator.market.archive import Archive
from tests.contract.account import Account, InProcess, opened

SYMBOL = "BTCUSDT"
OTHER = "ETHUSDT"
NUMBER = Decimal(3)
START = Decimal(1000)
NOTHING = Decimal(0)
SIDES = pytest.mark.parametrize("side", Side)


@pytest.fixture(params=["bitmart", "simulator"])
def account(archive: Archive, request: pytest.FixtureRequest) -> Iterator[Account | InProcess]:
    """Over HTTP by the adapter, or in this process by the exchange's own broker."""
    if request.param == "simulator":
        yield InProcess(archive)
        return
    with opened(archive) as opened_account:
        yield opened_account


@pytest.fixture
def broker(account: Account | InProcess) -> Broker:
    """Over an account in hedge mode with 1,000 USDT that holds nothing."""
    return account.broker


def contract(broker: Broker) -> Contract:
    return next(each for each in broker.contracts() if each.symbol == SYMBOL)


def request(broker: Broker, side: Side, name: str, *, away: str = "0", **changes: Any) -> OrderRequest:
    """A limit order, `away` of the price behind the market: 0 rests at the near side of the book."""
    tick, quote = contract(broker).tick_size, broker.quote(SYMBOL)
    share = 1 - Decimal(away) if side is Side.LONG else 1 + Decimal(away)
    near = quote.bid if side is Side.LONG else quote.ask
    order = OrderRequest(
        symbol=SYMBOL,
        side=side,
        opens=True,
        size=NUMBER,
        price=near * share // tick * tick,
        time_in_force=TimeInForce.GTC,
        leverage=10,
        client_order_id=client_order_id(Role.ENTRY, name),
    )
    return replace(order, **changes)


def market(broker: Broker, side: Side, name: str, **changes: Any) -> OrderRequest:
    return request(broker, side, name, price=None, time_in_force=TimeInForce.IOC, **changes)


def enter(broker: Broker, side: Side, name: str = "entry", **changes: Any) -> OrderRequest:
    """A position of NUMBER contracts, opened at market at leverage 10."""
    broker.set_leverage(SYMBOL, 10)
    order = market(broker, side, name, **changes)
    broker.submit(order)
    settle(lambda: bool(broker.positions(SYMBOL)))
    return order


def settle(done: Callable[[], bool]) -> None:
    """Until the exchange has worked off what it accepted."""
    deadline = datetime.now(UTC) + timedelta(seconds=10)
    while not done():
        assert datetime.now(UTC) < deadline, "it did not happen"


def behind(broker: Broker, side: Side, share: str) -> Decimal:
    """A price that a position of `side` would lose by, on the tick."""
    tick, last = contract(broker).tick_size, broker.quote(SYMBOL).last
    worse = 1 - Decimal(share) if side is Side.LONG else 1 + Decimal(share)
    return last * worse // tick * tick


def test_what_may_be_traded_has_brackets_fees_and_a_quote(broker: Broker) -> None:
    listed = contract(broker)
    assert listed.is_trading
    brackets = broker.brackets(SYMBOL)
    assert [each.notional_cap for each in brackets] == sorted(each.notional_cap for each in brackets)
    assert brackets[0].max_leverage == listed.max_leverage
    fees = broker.fee_rates(SYMBOL)
    assert 0 < fees.maker < fees.taker < 1
    quote = broker.quote(SYMBOL)
    assert quote.bid % listed.tick_size == quote.ask % listed.tick_size == 0
    assert abs(quote.mark / quote.mid - 1) < Decimal("0.02")
    assert abs(quote.last / quote.mid - 1) < Decimal("0.02")


def test_a_fresh_account_has_its_money_and_nothing_else(broker: Broker) -> None:
    account = broker.account()
    assert (account.equity, account.available) == (START, START)
    held = (
        broker.all_positions().rows,
        broker.all_orders().rows,
        broker.all_protections().rows,
        broker.positions(SYMBOL),
    )
    assert not any(held)
    assert broker.fills(SYMBOL, datetime.now(UTC) - timedelta(days=1)) == []
    assert broker.order(SYMBOL, "tv3e0000") is None


def test_the_position_mode_is_read_and_set_while_nothing_is_held(broker: Broker) -> None:
    assert broker.position_mode() is PositionMode.HEDGE
    broker.set_position_mode(PositionMode.ONE_WAY)
    assert broker.position_mode() is PositionMode.ONE_WAY


def test_the_position_mode_cannot_change_while_something_is_held(broker: Broker) -> None:
    enter(broker, Side.LONG)
    with pytest.raises(BrokerRejected):
        broker.set_position_mode(PositionMode.ONE_WAY)


@SIDES
def test_an_order_rests_is_found_and_is_cancelled(broker: Broker, side: Side) -> None:
    broker.set_leverage(SYMBOL, 10)
    wanted = request(broker, side, "resting", away="0.02")
    exchange_id = broker.submit(wanted)
    settle(lambda: bool(broker.orders(SYMBOL)))
    (resting,) = broker.all_orders().rows
    assert resting == broker.order(SYMBOL, wanted.client_order_id)
    assert (resting.exchange_order_id, resting.client_order_id) == (exchange_id, wanted.client_order_id)
    assert (resting.side, resting.opens, resting.price) == (side, True, wanted.price)
    assert (resting.size, resting.filled, resting.status) == (NUMBER, NOTHING, OrderStatus.SUBMITTED)
    assert broker.orders(OTHER) == []
    broker.cancel(SYMBOL, wanted.client_order_id)
    settle(lambda: not broker.orders(SYMBOL))
    over = broker.order(SYMBOL, wanted.client_order_id)
    assert over is not None
    assert over.status is OrderStatus.CANCELLED


def test_cancelling_what_is_over_or_never_was_is_no_error(broker: Broker) -> None:
    order = enter(broker, Side.LONG)
    broker.cancel(SYMBOL, order.client_order_id)
    broker.cancel(SYMBOL, client_order_id(Role.ENTRY, "never sent"))
    broker.unprotect(SYMBOL, "123456789")
    assert len(broker.all_positions().rows) == 1


@SIDES
def test_a_cancel_takes_its_own_order_only(broker: Broker, side: Side) -> None:
    broker.set_leverage(SYMBOL, 10)
    first, second = (request(broker, side, name, away="0.02") for name in ("first", "second"))
    for each in (first, second):
        broker.submit(each)
    settle(lambda: len(broker.all_orders().rows) == 2)
    broker.cancel(SYMBOL, first.client_order_id)
    settle(lambda: len(broker.all_orders().rows) == 1)
    assert broker.all_orders().rows[0].client_order_id == second.client_order_id


@SIDES
@pytest.mark.parametrize("mode", PositionMode)
def test_a_filled_order_is_a_position_with_fills_and_a_fee(
    broker: Broker, side: Side, mode: PositionMode
) -> None:
    broker.set_position_mode(mode)
    started = datetime.now(UTC) - timedelta(seconds=1)
    wanted = enter(broker, side)
    order = broker.order(SYMBOL, wanted.client_order_id)
    assert order is not None
    assert (order.status, order.filled) == (OrderStatus.FILLED, NUMBER)
    fills = broker.fills(SYMBOL, started)
    assert sum(fill.size for fill in fills) == NUMBER
    assert {(fill.side, fill.opens) for fill in fills} == {(side, True)}
    assert {fill.exchange_order_id for fill in fills} == {order.exchange_order_id}
    assert not any(fill.is_maker for fill in fills)
    coins, taker = contract(broker).contract_size, broker.fee_rates(SYMBOL).taker
    value = sum((fill.price * fill.size * coins for fill in fills), Decimal(0))
    assert sum(fill.fee for fill in fills) == pytest.approx(value * taker, rel=Decimal("1e-9"))
    (position,) = broker.all_positions().rows
    assert (position.symbol, position.side, position.size) == (SYMBOL, side, NUMBER)
    assert position.entry_price == pytest.approx(order.average_price, rel=Decimal("1e-9"))
    assert started <= position.opened_at <= datetime.now(UTC) + timedelta(seconds=1)
    assert position.mark_price == pytest.approx(position.entry_price, rel=Decimal("0.05"))
    assert position.unrealised is not None
    (commission,) = {line.kind for line in broker.transactions(started)} - {TransactionKind.TRANSFER}
    assert commission is TransactionKind.FEE


@SIDES
@pytest.mark.parametrize("mode", PositionMode)
def test_an_attached_stop_and_target_protect_once_the_order_filled(
    broker: Broker, side: Side, mode: PositionMode
) -> None:
    broker.set_position_mode(mode)
    stop, target = behind(broker, side, "0.03"), behind(broker, side, "-0.05")
    enter(broker, side, stop_price=stop, target_price=target)
    settle(lambda: len(broker.protections(SYMBOL)) == 2)
    by_kind = {each.kind: each for each in broker.all_protections().rows}
    assert by_kind[ProtectionKind.STOP].trigger_price == stop
    assert by_kind[ProtectionKind.TARGET].trigger_price == target
    for each in by_kind.values():
        assert (each.symbol, each.side) == (SYMBOL, side)
        assert each.size is None or each.size >= NUMBER
    assert broker.all_orders().rows == []


@SIDES
@pytest.mark.parametrize("mode", PositionMode)
def test_a_protection_is_placed_read_back_and_taken_away(
    broker: Broker, side: Side, mode: PositionMode
) -> None:
    broker.set_position_mode(mode)
    enter(broker, side)
    trigger, name = behind(broker, side, "0.03"), client_order_id(Role.STOP, "stop")
    exchange_id = broker.protect(SYMBOL, side, ProtectionKind.STOP, trigger, name)
    (stop,) = broker.protections(SYMBOL)
    assert (stop.exchange_order_id, stop.client_order_id) == (exchange_id, name)
    assert (stop.kind, stop.side, stop.trigger_price) == (ProtectionKind.STOP, side, trigger)
    assert stop.size is None
    tighter = behind(broker, side, "0.02")
    second = broker.protect(SYMBOL, side, ProtectionKind.STOP, tighter, client_order_id(Role.STOP, "tighter"))
    assert {each.trigger_price for each in broker.all_protections().rows} == {trigger, tighter}
    for each in (exchange_id, exchange_id, second):
        broker.unprotect(SYMBOL, each)
    assert broker.all_protections().rows == []
    assert len(broker.all_positions().rows) == 1


@SIDES
@pytest.mark.parametrize("mode", PositionMode)
def test_a_target_for_a_part_of_the_position_is_read_back_with_its_size_beside_one_for_all_of_it(
    broker: Broker, side: Side, mode: PositionMode
) -> None:
    broker.set_position_mode(mode)
    enter(broker, side, stop_price=behind(broker, side, "0.03"), target_price=behind(broker, side, "-0.05"))
    settle(lambda: len(broker.protections(SYMBOL)) == 2)
    trigger, name = behind(broker, side, "-0.03"), client_order_id(Role.TARGET, "first", tranche=1)
    half = NUMBER // 2
    exchange_id = broker.protect(SYMBOL, side, ProtectionKind.TARGET, trigger, name, half)
    [part] = [each for each in broker.protections(SYMBOL) if each.exchange_order_id == exchange_id]
    assert (part.kind, part.side, part.trigger_price) == (ProtectionKind.TARGET, side, trigger)
    assert (part.client_order_id, part.size) == (name, half)
    broker.unprotect(SYMBOL, exchange_id)
    assert len(broker.protections(SYMBOL)) == 2


@SIDES
def test_a_target_for_a_part_that_is_reached_closes_that_part_and_leaves_the_rest_protected(
    broker: Broker, side: Side
) -> None:
    enter(broker, side, stop_price=behind(broker, side, "0.03"), target_price=behind(broker, side, "-0.05"))
    settle(lambda: len(broker.protections(SYMBOL)) == 2)
    name, half = client_order_id(Role.TARGET, "first", tranche=1), NUMBER // 2
    reached = behind(broker, side, "0.01")  # a target on the losing side is reached already
    broker.protect(SYMBOL, side, ProtectionKind.TARGET, reached, name, half)
    settle(lambda: [held.size for held in broker.positions(SYMBOL)] == [NUMBER - half])
    assert sorted(each.kind for each in broker.protections(SYMBOL)) == ["stop", "target"]


@pytest.mark.parametrize("size", ["0", "-1", "1.5"])
def test_a_part_is_a_positive_whole_number_of_contracts(broker: Broker, size: str) -> None:
    enter(broker, Side.LONG)
    trigger = behind(broker, Side.LONG, "-0.03")
    with pytest.raises(ValueError, match="whole number"):
        broker.protect(SYMBOL, Side.LONG, ProtectionKind.TARGET, trigger, "tv3t0001", Decimal(size))
    assert broker.protections(SYMBOL) == []


def test_nothing_held_cannot_be_protected(broker: Broker) -> None:
    with pytest.raises(BrokerRejected):
        broker.protect(SYMBOL, Side.LONG, ProtectionKind.STOP, behind(broker, Side.LONG, "0.03"), "tv3s0001")


@SIDES
@pytest.mark.parametrize("mode", PositionMode)
def test_a_close_leaves_nothing_behind_and_realises_its_result(
    broker: Broker, side: Side, mode: PositionMode
) -> None:
    broker.set_position_mode(mode)
    started = datetime.now(UTC) - timedelta(seconds=1)
    enter(broker, side)
    name = client_order_id(Role.STOP, "stop")
    broker.protect(SYMBOL, side, ProtectionKind.STOP, behind(broker, side, "0.03"), name)
    closing = market(broker, side, "close", opens=False, client_order_id=client_order_id(Role.CLOSE, "x"))
    broker.submit(closing)
    settle(lambda: not broker.all_positions().rows)
    assert broker.positions(SYMBOL) == []
    assert broker.all_protections().rows == []
    fills = broker.fills(SYMBOL, started)
    assert sum(fill.size if fill.opens else -fill.size for fill in fills) == 0
    assert {fill.side for fill in fills} == {side}
    earned = sum((fill.realised - fill.fee for fill in fills), Decimal(0))
    assert broker.account().equity == pytest.approx(START + earned, abs=Decimal("1e-6"))
    assert broker.account().available == broker.account().equity


@pytest.mark.parametrize("mode", PositionMode)
def test_a_close_larger_than_what_is_held_never_opens_the_other_side(
    broker: Broker, mode: PositionMode
) -> None:
    broker.set_position_mode(mode)
    enter(broker, Side.LONG)
    closing = market(broker, Side.LONG, "close", opens=False, size=5 * NUMBER)
    with contextlib.suppress(BrokerRejected):  # refused whole in hedge mode, cut to size in one-way mode
        broker.submit(replace(closing, client_order_id=client_order_id(Role.CLOSE, "x")))
    assert [position.side for position in broker.all_positions().rows] in ([], [Side.LONG])


def test_a_hedged_account_holds_both_sides(broker: Broker) -> None:
    enter(broker, Side.LONG, "long")
    enter(broker, Side.SHORT, "short")
    settle(lambda: len(broker.all_positions().rows) == 2)
    assert {position.side for position in broker.positions(SYMBOL)} == set(Side)


@pytest.mark.parametrize(
    "changes",
    [{"size": Decimal(10**9)}, {"price": Decimal("0.05")}, {"symbol": "NOSUCHUSDT"}],
    ids=["too large", "off the tick", "no contract"],
)
def test_a_refused_order_changes_nothing(broker: Broker, changes: dict[str, Any]) -> None:
    broker.set_leverage(SYMBOL, 10)
    with pytest.raises(BrokerRejected) as caught:
        broker.submit(request(broker, Side.LONG, "refused", **changes))
    assert not caught.value.try_again
    assert broker.all_orders().rows == []
    assert broker.account().available == START


def test_leverage_beyond_the_contracts_is_refused(broker: Broker) -> None:
    with pytest.raises(BrokerRejected):
        broker.set_leverage(SYMBOL, 100_000)


@pytest.mark.parametrize(
    ("time_in_force", "filled"), [(TimeInForce.IOC, 0), (TimeInForce.FOK, 0), (TimeInForce.POST_ONLY, 0)]
)
def test_what_may_not_rest_or_not_take_ends_unfilled(
    broker: Broker, time_in_force: TimeInForce, filled: int
) -> None:
    """IOC and FOK behind the market find nobody; maker only across the market may not take."""
    broker.set_leverage(SYMBOL, 10)
    away = "-0.01" if time_in_force is TimeInForce.POST_ONLY else "0.02"
    wanted = request(broker, Side.LONG, "fleeting", away=away, time_in_force=time_in_force)
    broker.submit(wanted)

    def over() -> bool:
        order = broker.order(SYMBOL, wanted.client_order_id)
        return order is not None and order.status is OrderStatus.CANCELLED and order.filled == filled

    settle(over)
    assert broker.all_positions().rows == []


def is_armed(broker: Broker, timeout_s: int) -> bool:
    """Arm it, unless it was set so often just now that the limit forbids it."""
    try:
        broker.cancel_after(SYMBOL, timeout_s)
    except BrokerRateLimited:
        return False
    return True


def test_the_dead_mans_switch_takes_resting_orders_unless_disarmed(account: Account | InProcess) -> None:
    broker: Broker = account.broker
    broker.set_leverage(SYMBOL, 10)
    broker.submit(request(broker, Side.LONG, "left alone", away="0.02"))
    settle(lambda: bool(broker.all_orders().rows))
    broker.cancel_after(SYMBOL, 5)
    broker.cancel_after(SYMBOL, 0)
    account.clock.push(7)
    assert len(broker.all_orders().rows) == 1
    settle(lambda: is_armed(broker, 5))
    account.clock.push(7)
    settle(lambda: not broker.all_orders().rows)


def test_fills_rise_and_begin_where_asked(broker: Broker) -> None:
    enter(broker, Side.LONG, "first")
    between = max(fill.at for fill in broker.fills(SYMBOL, datetime.now(UTC) - timedelta(minutes=1)))
    between += timedelta(milliseconds=1)
    settle(lambda: datetime.now(UTC) > between)
    enter(broker, Side.SHORT, "second")
    settle(lambda: len(broker.all_positions().rows) == 2)
    assert {fill.side for fill in broker.fills(SYMBOL, between)} == {Side.SHORT}
    times = [fill.at for fill in broker.fills(SYMBOL, between - timedelta(minutes=1))]
    assert times == sorted(times)


def test_the_last_check_stops_the_order(broker: Broker) -> None:
    class SwitchedOff(Exception):
        pass

    def check() -> None:
        raise SwitchedOff

    broker.set_leverage(SYMBOL, 10)
    wanted = request(broker, Side.LONG, "stopped", away="0.02")
    with pytest.raises(SwitchedOff):
        broker.submit(wanted, check)
    assert broker.order(SYMBOL, wanted.client_order_id) is None


def test_the_same_order_sent_again_is_not_placed_again_and_not_taken_for_refused(broker: Broker) -> None:
    broker.set_leverage(SYMBOL, 10)
    wanted = request(broker, Side.LONG, "twice", away="0.02")
    broker.submit(wanted)
    settle(lambda: bool(broker.all_orders().rows))
    with pytest.raises(BrokerUnknown, match="40050"):
        broker.submit(wanted)
    assert len(broker.all_orders().rows) == 1


def test_a_contract_that_is_not_listed_has_no_orders_no_trades_and_takes_none(
    broker: Broker,
) -> None:
    assert broker.order("GONEUSDT", "tv3E1") is None
    assert broker.fills("GONEUSDT", datetime.now(UTC) - timedelta(minutes=1)) == []
    with pytest.raises(BrokerRejected, match="40034"):
        broker.submit(market(broker, Side.LONG, "nowhere", symbol="GONEUSDT"))
