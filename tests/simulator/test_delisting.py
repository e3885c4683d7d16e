"""Started again with other contracts: what the books mention stays, delisted, to be read and closed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.exchange.simulator.account import account_settings
from apps.exchange.simulator.account.rows import Contract, Presets, Wallet
from apps.exchange.simulator.codes import CLOSE_LONG, CLOSE_SHORT, FALLS, LONG, ONE_WAY, WHOLE, Code, Refused
from apps.exchange.simulator.exchange import Exchange
from apps.exchange.simulator.market.archive import Archive
from apps.exchange.simulator.market.market import Market
from apps.exchange.simulator.market.path import moment_at
from apps.exchange.simulator.matching import orders
from apps.exchange.simulator.matching.matching import CANCELLED
from apps.exchange.simulator.matching.new_order import NewOrder
from apps.exchange.simulator.server import running
from apps.exchange.simulator.server.app import account_json
from apps.exchange.simulator.server.private.account_routes import CURRENCIES
from apps.exchange.simulator.server.private.rows import asset
from apps.exchange.simulator.tape.code import pack
from apps.exchange.simulator.tape.read import CONTRACTS, FOLDER, SUFFIX, load
from launch import process
from tests.examples import examples
from tests.simulator.conftest import NOON, STATE, Client, Hand
from tests.simulator.handmade_exchange import LISTING, HandmadeExchange
from tests.simulator.trader import Trader

NOW_MS = int(NOON.timestamp() * 1000)


@contextlib.contextmanager
def started(symbols: int, books: Path, at: datetime = NOON) -> Iterator[Trader]:
    """The exchange over HTTP with its first `symbols` contracts and these books."""
    hand, archive = Hand(at), Archive.open(STATE, symbols=symbols)
    with (
        running(archive, clock=hand, limits=False, books=books) as address,
        contextlib.closing(Client(address, hand)) as client,
    ):
        yield Trader(client)


def statuses(trader: Trader) -> dict[str, str]:
    listed = trader.client.data("/contract/public/details")["symbols"]
    return {each["symbol"]: each["status"] for each in listed}


def near(trader: Trader, symbol: str, bps: int) -> str:
    """A price so far from the last one, on the tick."""
    detail = trader.client.data("/contract/public/details", symbol=symbol)["symbols"][0]
    last, tick = Decimal(detail["last_price"]), Decimal(detail["price_precision"])
    return str(last * (10_000 + bps) / 10_000 // tick * tick)


def plan_order(trader: Trader, symbol: str, side: int) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "side": side,
        "type": "market",
        "size": 1,
        "leverage": "10",
        "open_type": "isolated",
        "mode": 1,
        "trigger_price": near(trader, symbol, 500),
        "price_way": 1,
        "price_type": 1,
    }


def trailing(trader: Trader, symbol: str, side: int) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "side": side,
        "size": 1,
        "leverage": "10",
        "open_type": "isolated",
        "activation_price": near(trader, symbol, 500),
        "activation_price_type": 1,
        "callback_rate": "1",
    }


TRADED = {"SOLUSDT", "XRPUSDT", "BNBUSDT", "ADAUSDT", "LTCUSDT", "LINKUSDT", "BTC2USDT"}


def trade(trader: Trader) -> None:
    """A position with its stop, and of every other kind of row one on a contract of its own."""
    stop = near(trader, "SOLUSDT", -30)
    trader.order(1, 4, symbol="SOLUSDT", preset_stop_loss_price=stop, preset_stop_loss_price_type=1)
    trader.order(1, 5, near(trader, "XRPUSDT", -300), symbol="XRPUSDT")
    trader.do("submit-plan-order", **plan_order(trader, "BNBUSDT", 1))
    trader.do("submit-trail-order", **trailing(trader, "ADAUSDT", 4))
    trader.do("cancel-all-after", symbol="LTCUSDT", timeout=60)
    trader.do("submit-leverage", symbol="LINKUSDT", leverage="7", open_type="isolated")
    trader.order(1, 1, symbol="BTC2USDT")
    trader.order(3, 1, symbol="BTC2USDT")


READS = {
    "assets-detail": False,
    "get-open-orders": False,
    "current-plan-order": False,
    "position": False,
    "position-v2": False,
    "position-risk": False,
    "trades": False,
    "transaction-history": False,
    "get-position-mode": False,
    "order-history": True,
    "trade-fee-rate": True,
}
"""The private reads, and whether they want a contract."""


def test_after_a_start_with_fewer_contracts_everything_in_the_books_is_read_followed_and_closed(
    tmp_path: Path,
) -> None:
    books = tmp_path / "x.books"
    with started(17, books) as trader:
        trade(trader)
        assert set(statuses(trader).values()) == {"Trading"}
        before = trader.books()
    with started(2, books) as trader:
        assert statuses(trader) == {
            **dict.fromkeys(("BTCUSDT", "ETHUSDT"), "Trading"),
            **dict.fromkeys(TRADED, "Delisted"),
        }
        assert trader.books() == before
        for route, wants_symbol in READS.items():
            for symbol in TRADED:
                trader.read(route, symbol=symbol)
            if not wants_symbol:
                trader.read(route)
        for detail in ("depth", "market-trade", "open-interest", "funding-rate", "leverage-bracket"):
            trader.client.data(f"/contract/public/{detail}", symbol="SOLUSDT")
        trader.order(3, 1, symbol="SOLUSDT")
        [held] = trader.read("position", symbol="SOLUSDT")
        assert held["current_amount"] == "3"
        trader.do("cancel-orders", symbol="XRPUSDT")
        trader.do("cancel-plan-order", symbol="BNBUSDT")
        trader.client.hand.move(4 * 3600)
        process.wait_until(lambda: not trader.books()["positions"], patience_s=30)
        assert trader.books()["positions"] == []
        [fired] = [order for order in trader.books()["orders"] if order["plan_order_id"]]
        assert (fired["symbol"], fired["filled"]) == ("SOLUSDT", 3)


def test_a_delisted_contract_opens_nothing_and_opens_again_when_it_is_listed_again(tmp_path: Path) -> None:
    books = tmp_path / "x.books"
    with started(17, books) as trader:
        trade(trader)
    with started(2, books) as trader:
        order = {"symbol": "SOLUSDT", "side": 1, "type": "market", "size": 1, "leverage": "10"}
        resting = trader.books()["orders"][1]
        for route, body in (
            ("submit-order", {**order, "open_type": "isolated"}),
            ("submit-plan-order", plan_order(trader, "SOLUSDT", 1)),
            ("submit-trail-order", trailing(trader, "SOLUSDT", 4)),
            (
                "modify-limit-order",
                {
                    "symbol": "XRPUSDT",
                    "order_id": str(resting["order_id"]),
                    "price": near(trader, "XRPUSDT", -200),
                },
            ),
        ):
            answer = trader.post(route, **body)
            assert (answer.status_code, answer.json()["code"], answer.json()["message"]) == (
                400,
                40014,
                "This contract is offline",
            )
        assert trader.post("submit-order", **{**order, "symbol": "AVAXUSDT"}).json()["code"] == 40034
        trader.do("submit-plan-order", **plan_order(trader, "SOLUSDT", 3))
        trader.do("submit-trail-order", **trailing(trader, "SOLUSDT", 3))
    with started(17, books) as trader:
        assert set(statuses(trader).values()) == {"Trading"}
        trader.order(1, 1, symbol="SOLUSDT")
        [held] = trader.read("position", symbol="SOLUSDT")
        assert held["current_amount"] == "5"


def test_in_one_way_mode_what_only_reduces_is_taken_and_what_turns_the_position_is_not() -> None:
    exchange = HandmadeExchange()
    account_settings.set_position_mode(exchange.account, ONE_WAY)
    exchange.place(4, 10)
    exchange.account.listing = lambda symbol: replace(LISTING, delisted=True)
    with pytest.raises(Refused) as refusal:
        exchange.place(1, 11)
    assert refusal.value.code == Code.OFFLINE
    assert exchange.place(1, 4).filled == 4
    assert exchange.place(2, 6).filled == 6
    assert exchange.account.open_positions() == []


def test_a_plan_that_would_open_after_the_delisting_is_cancelled_when_it_fires() -> None:
    exchange = HandmadeExchange()
    plan = orders.protection_plan(
        exchange.account, "XUSDT", stop=False, side=1, trigger_price=Decimal(990), price_type=1, at_ms=0
    )
    waiting = orders.place_plan(exchange.matching, replace(plan, kind="plan", size=5, price_way=FALLS))
    exchange.account.listing = lambda symbol: replace(LISTING, delisted=True)
    exchange.move(989)
    assert not exchange.account.is_live(exchange.account.plans[waiting.key])
    assert exchange.account.orders == {}


@pytest.fixture(scope="session")
def small_tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first three contracts of the tape, two days of them: quickly read."""
    folder = tmp_path_factory.mktemp("tape")
    index = json.loads((FOLDER / CONTRACTS).read_text())
    index |= {"contracts": index["contracts"][:3], "minutes": 2 * 1440}
    (folder / CONTRACTS).write_text(json.dumps(index))
    for tape in load(count=3):
        (folder / f"{tape.listing.symbol}{SUFFIX}").write_bytes(pack(tape.candles[:, : 2 * 1440]))
    return folder


MOST = 8
NAMES = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BTC2USDT", "ETH2USDT", "SOL2USDT", "BTC3USDT", "ETH3USDT")
ACTS = ("open", "rest", "close", "stop", "trail", "plan", "arm", "leverage")
STARTS = st.lists(
    st.tuples(
        st.integers(1, MOST),
        st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, MOST - 1), st.booleans()), max_size=6),
        st.sampled_from([0, 1, 7, 90, 600]),
    ),
    min_size=2,
    max_size=6,
)


def act(exchange: Exchange, what: str, symbol: str, long: bool, at_ms: int) -> None:
    """Ask for something of a contract. Raises Refused."""
    account, tick = exchange.account, exchange.tick_at(symbol, at_ms)
    step = account.listing(symbol).tick
    opens, closes = (1, 3) if long else (4, 2)

    def away(bps: int) -> Decimal:
        return tick.last * (10_000 + (bps if long else -bps)) / 10_000 // step * step

    protection = orders.protection_plan(
        account, symbol, stop=True, side=closes, trigger_price=away(-40), price_type=1, at_ms=at_ms
    )
    if what == "open":
        presets = Presets(stop_loss=away(-40), stop_loss_type=1)
        orders.place_order(account, NewOrder(symbol, opens, 2, None, presets=presets), tick)
    elif what == "rest":
        orders.place_order(account, NewOrder(symbol, opens, 2, away(-30)), tick)
    elif what == "close":
        orders.place_order(account, NewOrder(symbol, closes, 1, None), tick)
    elif what == "stop":
        orders.check_position_open(account, symbol, closes)
        orders.place_plan(exchange.matching, replace(protection, category=WHOLE))
    elif what == "trail":
        trailing = replace(protection, kind="trailing", size=1, callback_pct=Decimal("0.1"))
        orders.place_plan(exchange.matching, trailing)
    elif what == "plan":
        orders.place_plan(exchange.matching, replace(protection, kind="plan", side=opens, size=1))
    elif what == "arm":
        account_settings.cancel_after(account, symbol, 60, at_ms)
    else:
        account_settings.set_leverage(account, symbol, 12 if long else 8, "isolated")


@settings(
    max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STARTS)
def test_any_sequence_of_starts_with_other_contracts_raises_nothing_loses_nothing_and_can_be_closed(
    small_tape: Path,
    tmp_path_factory: pytest.TempPathFactory,
    starts: list[tuple[int, list[tuple[str, int, bool]], int]],
) -> None:
    path, at_ms = tmp_path_factory.mktemp("books") / "x.books", NOW_MS
    before: dict[str, Any] = {}
    for symbols, acts, minutes in [*starts, (1, [], 0)]:
        market = Market(Archive.open(STATE, symbols=symbols, folder=small_tape), seed=1)
        exchange = Exchange.open(market, at_ms, path=path)
        assert before in ({}, account_json(exchange))
        listed = {symbol: exchange.account.listing(symbol).status for symbol in exchange.market.symbols}
        mentioned = {row.symbol for row in exchange.account.rows() if not isinstance(row, Wallet)} - {""}
        assert listed == {
            **dict.fromkeys(mentioned, "Delisted"),
            **dict.fromkeys(NAMES[:symbols], "Trading"),
        }
        for what, number, long in acts:
            symbol = NAMES[number]
            if symbol not in listed:
                continue
            refused = None
            try:
                act(exchange, what, symbol, long, at_ms)
            except Refused as refusal:
                refused = refusal.code
            if listed[symbol] == "Delisted" and what in ("open", "rest", "plan"):
                assert refused == Code.OFFLINE
            exchange.settle()
        at_ms += minutes * 60_000
        exchange.advance(at_ms)
        exchange.commit()
        before = account_json(exchange)
        for asset_of in CURRENCIES:
            asset(exchange, asset_of, moment_at(at_ms / 1000))
        exchange.close()
    exchange = Exchange.open(market, at_ms, path=path)
    for row in [*exchange.account.live_orders(), *exchange.account.live_plans()]:
        exchange.matching.finish(row, CANCELLED, at_ms)
    for held in exchange.account.open_positions():
        side = CLOSE_LONG if held.position_type == LONG else CLOSE_SHORT
        orders.place_order(
            exchange.account,
            NewOrder(held.symbol, side, held.size, None),
            exchange.tick_at(held.symbol, at_ms),
        )
    exchange.settle()
    exchange.commit()
    assert exchange.account.open_positions() == []
    exchange.close()


def test_books_of_contracts_that_were_never_recorded_are_refused_naming_them_and_stay_as_they_are(
    tmp_path: Path,
) -> None:
    state, books = tmp_path / "x.json", tmp_path / "x.books"
    state.write_text('{"first_day":"2026-11-20","day":10,"seed":1}')
    market = Market(Archive.open(STATE, symbols=1), seed=1)
    exchange = Exchange.open(market, NOW_MS, path=books, name="day 10 of the tape on 2026-11-20, seed 1")
    for symbol in ("XUSDT", "AUSDT", "BTC126USDT"):
        exchange.account.put(Contract(symbol, 10, "isolated"))
    exchange.commit()
    exchange.close()
    before = books.read_text()
    with pytest.raises(CommandError) as refusal:
        call_command("simulator", port=0, state=state, symbols=1)
    assert str(refusal.value) == (
        f"the books in {books} mention contracts that were never recorded: "
        "AUSDT, BTC126USDT, XUSDT; move them away to begin new ones"
    )
    assert books.read_text() == before
