"""Whatever is asked for, whenever: the books stay legal, add up, and are the same after a restart."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from apps.exchange.simulator.account import account_settings
from apps.exchange.simulator.account.journal import JournalError, row_fields
from apps.exchange.simulator.account.rows import Presets, Wallet
from apps.exchange.simulator.codes import HEDGE, LONG, ONE_WAY, OVER, QUANTITY, SHORT, TRANSFER, Refused
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.path import TICKS, Moment, moment_at
from apps.exchange.simulator.matching import orders, triggers
from apps.exchange.simulator.matching.matching import CANCELLED
from apps.exchange.simulator.matching.new_order import NewOrder
from tests.examples import examples
from tests.simulator.conftest import NOON

NOW_MS = int(NOON.timestamp() * 1000)
SYMBOLS = ("BTCUSDT", "ETHUSDT")

Step = tuple[Any, ...]


def rounded(exchange: Exchange, symbol: str, price: Decimal) -> Decimal:
    tick = exchange.account.listing(symbol).tick
    return price // tick * tick


def submit(exchange: Exchange, at_ms: int, step: Step) -> None:
    _, symbol, side, size, bps, mode, leverage, protected = step
    tick = exchange.tick_at(symbol, at_ms)

    def away(distance: int) -> Decimal:
        return rounded(exchange, symbol, tick.last * (10_000 + distance) / 10_000)

    presets = Presets(away(20), 1, away(-20), 1) if protected and side in (1, 4) else Presets()
    price = None if bps is None else away(bps)
    order = NewOrder(
        symbol, side, size, price, mode=mode, leverage=leverage, open_type="isolated", presets=presets
    )
    orders.place_order(exchange.account, order, tick)


def stop(exchange: Exchange, at_ms: int, step: Step) -> None:
    _, symbol, side, bps, category = step
    orders.check_position_open(exchange.account, symbol, side)
    trigger = rounded(exchange, symbol, exchange.tick_at(symbol, at_ms).last * (10_000 + bps) / 10_000)
    plan = orders.protection_plan(
        exchange.account, symbol, stop=True, side=side, trigger_price=trigger, price_type=1, at_ms=at_ms
    )
    size = 3 if category == QUANTITY else 0
    orders.place_plan(exchange.matching, replace(plan, category=category, size=size))


def trail(exchange: Exchange, at_ms: int, step: Step) -> None:
    _, symbol, side, bps = step
    tick = exchange.tick_at(symbol, at_ms)
    plan = orders.protection_plan(
        exchange.account,
        symbol,
        stop=False,
        side=side,
        trigger_price=rounded(exchange, symbol, tick.last * (10_000 + bps) / 10_000),
        price_type=1,
        at_ms=at_ms,
    )
    orders.place_plan(
        exchange.matching, replace(plan, kind="trailing", size=3, category=0, callback_pct=Decimal("0.1"))
    )


def arm(exchange: Exchange, at_ms: int, step: Step) -> None:
    account_settings.cancel_after(exchange.account, step[1], step[2], at_ms)


def cancel(exchange: Exchange, at_ms: int, step: Step) -> None:
    live = [*exchange.account.live_orders(), *exchange.account.live_plans()]
    if live:
        exchange.matching.finish(live[step[1] % len(live)], CANCELLED, at_ms)


ACTIONS: dict[str, Callable[[Exchange, int, Step], None]] = {
    "submit": submit,
    "stop": stop,
    "trail": trail,
    "arm": arm,
    "cancel": cancel,
}
SUBMITS = st.tuples(
    st.just("submit"),
    st.sampled_from(SYMBOLS),
    st.integers(1, 4),
    st.integers(1, 400),
    st.none() | st.integers(-15, 15),
    st.integers(1, 4),
    st.sampled_from([10, 10, 50]),
    st.booleans(),
)
STOPS = st.tuples(
    st.just("stop"),
    st.sampled_from(SYMBOLS),
    st.integers(2, 3),
    st.integers(-10, 10),
    st.integers(1, 2),
)
TRAILS = st.tuples(st.just("trail"), st.sampled_from(SYMBOLS), st.integers(2, 3), st.integers(-10, 10))
ARMS = st.tuples(st.just("arm"), st.sampled_from(SYMBOLS), st.sampled_from([0, 7, 95]))
CANCELS = st.tuples(st.just("cancel"), st.integers(0, 5))
WAITS_S = st.sampled_from([0, 1, 7, 50, 600, 9000])
SCRIPTS = st.lists(
    st.tuples(WAITS_S, SUBMITS | SUBMITS | STOPS | TRAILS | ARMS | CANCELS), min_size=3, max_size=14
)
FEW = settings(
    max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def played(
    exchange: Exchange, script: list[tuple[int, Step]], until: Callable[[Exchange], Exchange] = lambda f: f
) -> Exchange:
    """Carry out a script; `until` may replace the exchange between accepting an order and matching it."""
    at_ms = NOW_MS
    for wait_s, step in script:
        at_ms += wait_s * 1000
        exchange.advance(at_ms)
        exchange.commit()
        try:
            ACTIONS[step[0]](exchange, at_ms, step)
        except Refused:
            assert exchange.account.take_changes() == []
        exchange.commit()
        exchange = until(exchange)
        exchange.settle()
        exchange.commit()
        check_legal(exchange)
    exchange.advance(at_ms + 4 * 3_600_000)
    exchange.commit()
    check_legal(exchange)
    return exchange


def check_legal(exchange: Exchange) -> None:
    account = exchange.account
    trades = account.trades.values()
    assert account.wallet.cash == sum(entry.amount for entry in account.ledger_lines.values())
    booked = sum(entry.amount for entry in account.ledger_lines.values() if entry.flow_type in (2, 4))
    assert booked == sum(trade.realised - trade.fee for trade in trades)
    for order in account.orders.values():
        fills = [trade for trade in trades if trade.order_id == order.order_id]
        assert order.filled == sum(trade.contracts for trade in fills) <= order.size
        assert order.value == sum(trade.price * trade.contracts for trade in fills)
        assert order.state == OVER or order.filled < order.size
    for held in account.positions.values():
        assert held.size >= 0
        assert (held.size == 0) == (held.cost == 0)
    assert account.frozen >= 0
    if not account.hedged:
        for symbol in SYMBOLS:
            assert not (account.position(symbol, LONG).size and account.position(symbol, SHORT).size)


def dumped(exchange: Exchange) -> str:
    rows = [row_fields(row) for row in exchange.account.rows() if not isinstance(row, Wallet)]
    return json.dumps(
        [rows, str(exchange.account.wallet.cash), exchange.account.wallet.numbers], sort_keys=True
    )


@FEW
@given(SCRIPTS, st.sampled_from([HEDGE, ONE_WAY]), st.sampled_from([0, 30]))
def test_any_sequence_of_requests_leaves_legal_books_that_add_up(
    archive: Archive, script: list[tuple[int, Step]], mode: str, at_most: int
) -> None:
    exchange = Exchange.open(Market(archive, seed=1), NOW_MS)
    exchange.account.put(replace(exchange.account.wallet, position_mode=mode))
    exchange.rules.fill_at_most = at_most
    played(exchange, script)


@FEW
@given(SCRIPTS)
def test_books_that_were_killed_after_every_acknowledgement_are_those_that_never_were(
    archive: Archive, tmp_path_factory: pytest.TempPathFactory, script: list[tuple[int, Step]]
) -> None:
    path = tmp_path_factory.mktemp("books") / "x.books"
    market = Market(archive, seed=1)

    def killed(exchange: Exchange) -> Exchange:
        exchange.close()
        return Exchange.open(Market(archive, seed=1), NOW_MS + 10**9, path=path)

    restarted = played(Exchange.open(market, NOW_MS, path=path), script, killed)
    never = played(Exchange.open(market, NOW_MS), script)
    assert dumped(restarted) == dumped(never)
    restarted.close()


class Plodding(Exchange):
    """Plays every tick of everything, whatever may happen: what the leaps must come to."""

    def advance(self, now_ms: int) -> None:
        self.settle()
        for number in range(self._played + 1, moment_at(now_ms / 1000).number + 1):
            at = Moment(*divmod(number, TICKS))
            if at.tick == 0 and at.minute % 480 == 0:
                for symbol in SYMBOLS:
                    rate = self.ticker_stats.funding_rate(symbol, at.minute * 60)
                    triggers.pay_funding(self.account, self.tick(symbol, at), rate)
            for symbol in SYMBOLS:
                triggers.play_tick(self.matching, self.tick(symbol, at))
            self._played = number


PROTECTED = [
    (0, ("submit", "BTCUSDT", 1, 100, None, 1, 10, True)),
    (7, ("submit", "ETHUSDT", 4, 100, None, 1, 10, True)),
]
WAITING = [
    (0, ("submit", "BTCUSDT", 1, 100, None, 1, 10, False)),
    (1, ("stop", "BTCUSDT", 3, -10, 2)),
    (7, ("trail", "BTCUSDT", 3, 5)),
    (50, ("submit", "ETHUSDT", 1, 100, -5, 1, 10, False)),
    (1, ("submit", "ETHUSDT", 4, 100, 5, 1, 10, False)),
    (7, ("arm", "ETHUSDT", 95)),
]


@settings(FEW, max_examples=examples(6))
@example(PROTECTED, HEDGE, 0)
@example(WAITING, HEDGE, 30)
@given(SCRIPTS, st.sampled_from([HEDGE, ONE_WAY]), st.sampled_from([0, 30]))
def test_leaping_to_where_something_may_happen_leaves_the_books_that_every_tick_leaves(
    archive: Archive, script: list[tuple[int, Step]], mode: str, at_most: int
) -> None:
    books = []
    for kind in (Exchange, Plodding):
        exchange = kind.open(Market(archive, seed=1), NOW_MS)
        exchange.account.put(replace(exchange.account.wallet, position_mode=mode))
        exchange.rules.fill_at_most = at_most
        books.append(dumped(played(exchange, script)))
    assert books[0] == books[1]


def test_the_time_of_an_outage_is_played_when_the_books_are_opened_again(
    archive: Archive, tmp_path: Path
) -> None:
    path, market = tmp_path / "x.books", Market(archive, seed=1)
    exchange = Exchange.open(market, NOW_MS, path=path)
    submit(exchange, NOW_MS, ("submit", "BTCUSDT", 1, 20, None, 1, 10, True))
    exchange.commit()
    exchange.close()
    later = NOW_MS + 24 * 3_600_000
    again = Exchange.open(market, later, path=path)
    assert not again.account.open_positions()
    again.advance(later)
    fired = [order for order in again.account.orders.values() if order.plan_order_id]
    assert fired
    assert NOW_MS < fired[0].created_ms < later
    again.close()


def test_a_torn_last_line_is_as_if_it_had_never_been(archive: Archive, tmp_path: Path) -> None:
    path, market = tmp_path / "x.books", Market(archive, seed=1)
    exchange = Exchange.open(market, NOW_MS, path=path)
    exchange.close()
    whole = path.read_text()
    path.write_text(whole + '[["Order",{"order_id":3')
    again = Exchange.open(market, NOW_MS, path=path)
    assert again.account.orders == {}
    assert again.account.wallet.cash == 1000
    assert path.read_text() == whole
    again.close()


def test_two_processes_cannot_have_the_same_books(archive: Archive, tmp_path: Path) -> None:
    exchange = Exchange.open(Market(archive, seed=1), NOW_MS, path=tmp_path / "x.books")
    with pytest.raises(JournalError, match="in use"):
        Exchange.open(Market(archive, seed=1), NOW_MS, path=tmp_path / "x.books")
    exchange.close()


@pytest.mark.parametrize(
    ("name", "balance", "spoilt", "said"),
    [
        ("other", None, "", "another market"),
        ("", Decimal(5), "", "--balance 5"),
        ("", None, "nonsense\n", "damaged"),
    ],
)
def test_books_that_cannot_be_used_are_refused_and_stay_as_they_are(
    archive: Archive, tmp_path: Path, name: str, balance: Decimal | None, spoilt: str, said: str
) -> None:
    path, market = tmp_path / "x.books", Market(archive, seed=1)
    Exchange.open(market, NOW_MS, path=path).close()
    path.write_text(before := path.read_text() + spoilt)
    with pytest.raises(JournalError, match=said):
        Exchange.open(market, NOW_MS, path=path, name=name, balance=balance)
    assert path.read_text() == before


def test_new_books_begin_with_a_transfer_of_the_balance(archive: Archive) -> None:
    exchange = Exchange.open(Market(archive, seed=1), NOW_MS, balance=Decimal(250))
    (entry,) = exchange.account.ledger_lines.values()
    assert (entry.flow_type, entry.amount) == (TRANSFER, 250)
    assert exchange.account.available == 250
