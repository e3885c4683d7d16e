"""A watch over the local exchange: real adapter, sockets and rooms, and our clock in the test's hands."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import requests

from apps.audit.models import TradeLifecycleEvent
from apps.engine.cycle import SendResult, send
from apps.engine.ports.account import AccountNews, Claimed
from apps.engine.values.order import OrderRequest, Role, TimeInForce, client_order_id
from apps.engine.values.plan import OrderPlan
from apps.engine.values.position import PositionMode, Side
from apps.exchange.bitmart.adapter import CONSTRAINTS
from apps.exchange.simulator.market.archive import Archive
from apps.live import watch_state
from apps.live.ledger import AccountLedger
from apps.live.watch.process import Watch
from apps.live.watch.resting_quotes import PushedQuotes
from apps.live.watch_state import AccountHealth
from apps.market import store as market
from apps.orders.models import ExchangeOrder, Position, SymbolLock
from tests.contract import account as exchange_account
from tests.contract.account import Account, Ahead
from tests.rooms import trades
from tests.rooms.trades import ACCOUNT

D = Decimal
SYMBOL, OTHER = "BTCUSDT", "ETHUSDT"
NOTIONAL = D(500)
ONE = D(1)
PATIENCE_S = 20
GLANCED_S = 3
"""What only the sweep would see takes up to 5 s; a glance less than this on a busy machine too."""


class House:
    """One account, its books and who watches it. `clock` is ours: it runs, and can be pushed ahead."""

    def __init__(self, exchange: Account) -> None:
        self.exchange = exchange
        self.broker = exchange.broker
        self.clock = Ahead()
        self.adopt_foreign = False  # of the next process that begins, as are its quotes
        self.quotes: PushedQuotes = lambda _: {}
        self.ledger = AccountLedger(ACCOUNT, lambda now: AccountHealth(reconciled=True), run_id=uuid4())
        listed = self.broker.contracts()
        market.save_contracts(listed, self.clock())
        self._contracts = {each.symbol: each for each in listed}
        self.begin()

    # the process

    def begin(self) -> None:
        """A watch process starts, and opens its private stream."""
        watch_state.save_columns(ACCOUNT, **watch_state.fresh_columns(self.clock()))
        streams = self.exchange.streams()
        self._close = streams.close
        self._news = streams.account(poll_s=0.02)
        self.watch = Watch(
            self.ledger,
            self.broker,
            streams,
            constraints=CONSTRAINTS,
            mode=PositionMode.HEDGE,
            clock=self.clock,
            adopt_foreign=self.adopt_foreign,
            read_quotes=self.quotes,
        )

    def restart(self) -> None:
        self._close()
        self.begin()

    def deafen(self) -> None:
        """No push is heard any more."""
        self._news = _silence()

    def step(self) -> None:
        news = next(self._news)
        if news is not None:
            self.watch.handle_news(news)
        self.watch.run_due()

    def until(self, what: Callable[[], Any], *, patience_s: float = PATIENCE_S) -> float:
        """Let the watch work until `what` is true; the real seconds that took."""
        began = time.monotonic()
        while not what():
            assert time.monotonic() - began < patience_s, f"not within {patience_s:g} s: {self.shown()}"
            self.step()
        return time.monotonic() - began

    def work(self, seconds: float) -> None:
        """Let the watch work for so many real seconds."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self.step()

    # entries

    def plan(
        self,
        symbol: str = SYMBOL,
        *,
        side: Side = Side.LONG,
        away_pct: str = "-0.2",
        notional: Decimal = NOTIONAL,
    ) -> OrderPlan:
        """A limit `away_pct` on the passive side of the market; a negative one crosses the book and fills."""
        sign = 1 if side is Side.LONG else -1
        quote, contract = self.broker.quote(symbol), self._contracts[symbol]

        def moved(price: Decimal, pct: str) -> Decimal:
            return (price * (1 + sign * D(pct) / 100) / contract.tick_size).quantize(
                D(1)
            ) * contract.tick_size

        entry = moved(quote.ask if side is Side.LONG else quote.bid, str(-D(away_pct)))
        size = (notional / entry / contract.contract_size).quantize(D(1))
        now, template = self.clock(), trades.plan(symbol, side=side)
        key = f"{template.decision_key}{uuid4().hex[:6]}"
        return replace(
            template,
            decision_key=key,
            client_order_id=client_order_id(Role.ENTRY, key),
            entry=entry,
            stop=moved(entry, "-2"),
            target=moved(entry, "4"),
            sizing=replace(template.sizing, size=max(size, D(1))),
            created_at=now,
            send_before=now + timedelta(seconds=10),
            expires_at=now + timedelta(seconds=60),
        )

    def claim(self, plan: OrderPlan) -> OrderPlan:
        claimed = self.ledger.claim(plan, self.clock())
        assert isinstance(claimed, Claimed), claimed
        return plan

    def send(self, plan: OrderPlan) -> SendResult:
        return send(
            plan,
            broker=self.broker,
            ledger=self.ledger,
            last_check=lambda plan: None,
            leverage_set=False,
            clock=self.clock,
        )

    def enter(self, symbol: str = SYMBOL, **how: Any) -> OrderPlan:
        """What the entry task does with a plan."""
        plan = self.claim(self.plan(symbol, **how))
        self.send(plan)
        return plan

    def trade_by_hand(self, side: Side, *, opens: bool, size: Decimal = ONE, symbol: str = SYMBOL) -> None:
        """A market order that is not ours."""
        self.broker.submit(
            OrderRequest(symbol, side, opens, size, None, TimeInForce.IOC, f"hand{uuid4().hex[:12]}", 5)
        )

    def rest_by_hand(self, side: Side, price: Decimal, symbol: str = SYMBOL) -> None:
        """A limit order that is not ours."""
        tick = self._contracts[symbol].tick_size
        request = OrderRequest(
            symbol,
            side,
            True,
            ONE,
            (price / tick).quantize(ONE) * tick,
            TimeInForce.GTC,
            f"hand{uuid4().hex[:12]}",
            5,
        )
        self.broker.submit(request)

    # what is there

    def books(self) -> dict[str, Any]:
        """The exchange's own truth."""
        answer = requests.get(f"{self.exchange.address}/admin/books", timeout=10)
        answer.raise_for_status()
        return dict(answer.json())

    def stops(self) -> list[dict[str, Any]]:
        return [plan for plan in self.books()["protections"] if plan["kind"] == "stop_loss"]

    def health(self) -> AccountHealth:
        return watch_state.account_health(ACCOUNT, self.clock())

    def order_status(self, plan: OrderPlan) -> str:
        return str(ExchangeOrder.objects.filter(decision_key=plan.decision_key).latest("attempt").status)

    def position_status(self, symbol: str = SYMBOL) -> str:
        """Of the newest position; empty when there was none."""
        position = Position.objects.filter(symbol=symbol).order_by("id").last()
        return "" if position is None else str(position.status)

    def is_protected(self) -> bool:
        return self.position_status() == "PROTECTED"

    def is_free(self) -> bool:
        return not SymbolLock.objects.filter(released_at=None).exists()

    def shown(self) -> str:
        rows = [*ExchangeOrder.objects.values("status", "filled"), *Position.objects.values("status", "size")]
        return f"{rows}, the exchange has {self.books()}"


def told() -> list[str]:
    """The names of what happened, in order."""
    return list(TradeLifecycleEvent.objects.order_by("id").values_list("event_type", flat=True))


def _silence() -> Iterator[AccountNews | None]:
    while True:
        time.sleep(0.02)
        yield None


@contextlib.contextmanager
def opened(archive: Archive) -> Iterator[House]:
    """An account with 1,000 USDT, watched and reconciled."""
    with exchange_account.opened(archive) as exchange:
        house = House(exchange)
        house.until(lambda: house.health().reconciled)
        yield house
