"""Any interleaving of fills, triggers, hands, crashes, marks, late and empty lists leads to a legal life.

Judged by the exchange's own books: what is ours is never naked for long, never loses a stop to us, and is
gone in the end; what is not ours is never touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from apps.engine import events
from apps.engine.cycle import fall_back, follow, observe, perform
from apps.engine.enter.guards import rest_refusal
from apps.engine.follow.action import Close, Protect, Unprotect
from apps.engine.follow.book import book_after
from apps.engine.follow.fallback import waiting_rest
from apps.engine.follow.orders import LIVE
from apps.engine.ports.account import Broker, BrokerUnavailable, Claimed, RestLedger
from apps.engine.values.book import ExchangeBook, RestPlan, SymbolBook, TrackedOrder
from apps.engine.values.order import TRANSITIONS, OrderStatus, ProtectionKind
from apps.engine.values.plan import OrderPlan
from apps.engine.values.position import Quote, Side
from apps.engine.values.reason import Refusal
from tests.engine.lagging_exchange import LISTS, LaggingExchange
from tests.engine.trade_builder import (
    CONSTRAINTS,
    NOW,
    SYMBOL,
    D,
    contract,
    entry_of,
    observation,
    planned,
    profile,
    quote,
    state,
)
from tests.examples import examples

PLANS = [
    planned(),
    planned(scaling=(0.4, 0.6)),
    planned(scaling=(0.5, 0.3, 0.2)),
    planned(by=profile(scaling=[0.5, 0.3, 0.2], tp1_r=1.0)),
    planned(by=profile(scaling=[0.6, 0.4], tp1_r=1.0)),
]
ENTRY = entry_of()
OURS, OTHER = Side.LONG, Side.SHORT
LONGEST_LAG_S = 4
NAKED_AT_MOST_S = 10


class Life(RuleBasedStateMachine):
    """One claimed plan of one to three tranches, its exchange and whoever follows it."""

    def __init__(self) -> None:
        super().__init__()
        self.exchange = LaggingExchange(SYMBOL, NOW)
        self.plan = PLANS[0]
        self.book = SymbolBook(SYMBOL)
        self.recorded: list[events.Event] = []
        self.tightest = D(0)
        self.naked_s = 0
        self.looks_since_exit = 0
        self.hand = {OURS: D(0), OTHER: D(0)}
        self.died = False
        self.quote: Quote | None = None

    @initialize(
        plan=st.sampled_from(PLANS),
        answers=st.lists(st.sampled_from(["ok", "ok", "ok", "held", "lost"]), max_size=3),
        preset=st.sampled_from(["first_fill", "complete", "never"]),
        sized=st.booleans(),
    )
    def send(self, plan: OrderPlan, answers: Any, preset: Any, sized: bool) -> None:
        self.plan = plan
        self.exchange.preset_on_partial, self.exchange.sized_presets = preset, sized
        self.exchange.answers = answers
        claimed = events.PlanClaimed(symbol=SYMBOL, at=NOW, plan=plan, status=OrderStatus.SUBMITTING)
        self._record([claimed])
        failed = False
        for order in TrackedOrder.all_of(plan):
            if failed:  # as the sender does; its word changes nothing but the row
                denied = _with(order, "", OrderStatus.DENIED)
                self._record([events.OrderLookedUp(symbol=SYMBOL, at=NOW, order=denied)])
                continue
            try:
                exchange_id = self.exchange.submit(plan.request(order.client_order_id, order.tranche))
                sent = events.OrderAcknowledged(symbol=SYMBOL, at=NOW, order=_with(order, exchange_id))
                self._record([sent])
            except Exception:
                failed = True
                unknown = _with(order, "", OrderStatus.UNKNOWN)
                self._record([events.OrderUnknown(symbol=SYMBOL, at=NOW, order=unknown)])

    # what happens at the exchange

    @rule(size=st.integers(1, 14))
    def fill(self, size: int) -> None:
        if self.exchange.held.get(OURS) is None or not self.hand[OURS]:
            self.exchange.fill(D(size))

    @precondition(lambda self: not self.hand[OURS])
    @rule(kind=st.sampled_from(ProtectionKind))
    def trigger(self, kind: ProtectionKind) -> None:
        self.exchange.trigger(kind)

    @precondition(lambda self: not self.hand[OURS] and self.plan.exits.first_target is not None)
    @rule(size=st.integers(2, 14))
    def leave_a_part(self, size: int) -> None:
        """The market turns at a tranche, reaches the first target, and stays there."""
        self.show_all_as_it_is()
        self.exchange.fill(D(size))
        self.look(6)
        self.exchange.trigger_first_target()
        self.look(6)

    @precondition(lambda self: not self.hand[OURS] and not any(each.attempt for each in self.book.orders))
    @rule(size=st.integers(1, 14))
    def fill_though_it_was_over(self, size: int) -> None:
        self.exchange.fill_late(D(size))

    @rule()
    def lose_stops(self) -> None:
        self.exchange.stops.clear()

    @rule(size=st.integers(1, 5))
    def open_other_side_by_hand(self, size: int) -> None:
        self.exchange.trade_by_hand(OTHER, D(size))
        self.hand[OTHER] += size

    @precondition(lambda self: OURS not in self.exchange.held and not self._ours_traded())
    @rule(size=st.integers(1, 5))
    def open_our_side_by_hand(self, size: int) -> None:
        """Beside our resting entry, which then fills no more: nobody could tell whose a mixed position is."""
        self.exchange.trade_by_hand(OURS, D(size))
        self.hand[OURS] += size

    @rule(
        mark=st.sampled_from(["50000", "50041", "50050", "50200", "49800"]),
        spread=st.sampled_from(["0.1", "60"]),
    )
    def move(self, mark: str, spread: str) -> None:
        """Into the zone, to its edge, a little out of it, and far away."""
        self.quote = quote(bid=mark, ask=str(D(mark) + D(spread)), mark=mark)

    @rule()
    def be_quoted_no_more(self) -> None:
        self.quote = None

    # how it is shown

    @rule(name=st.sampled_from(LISTS), seconds=st.integers(0, LONGEST_LAG_S))
    def lag(self, name: Any, seconds: int) -> None:
        self.exchange.lag_s[name] = seconds

    @rule(names=st.sets(st.sampled_from(LISTS), min_size=1, max_size=2), seconds=st.integers(1, 8))
    def be_empty_for(self, names: Any, seconds: int) -> None:
        self.exchange.empty |= names
        self.look(seconds)
        self.exchange.empty -= names

    @precondition(lambda self: not self.hand[OURS])
    @rule(
        size=st.integers(1, 14),
        late=st.sets(st.sampled_from(LISTS), min_size=1, max_size=3),
        seconds=st.integers(1, LONGEST_LAG_S),
    )
    def fill_while_lists_are_late(self, size: int, late: Any, seconds: int) -> None:
        self.exchange.lag_s |= dict.fromkeys(late, seconds)
        self.exchange.fill(D(size))
        self.look(seconds + 1)
        self.exchange.lag_s.clear()

    @rule(name=st.sampled_from(LISTS), answers=st.booleans())
    def be_away(self, name: Any, answers: bool) -> None:
        (self.exchange.away.discard if answers else self.exchange.away.add)(name)

    @rule()
    def show_all_as_it_is(self) -> None:
        self.exchange.lag_s.clear()
        self.exchange.empty.clear()
        self.exchange.away.clear()

    @rule()
    def die_before_acting(self) -> None:
        """What is decided next is recorded, and not done."""
        self.died = True

    # the rest, at the end of an entry's time

    @rule(size=st.integers(0, 13))
    def rest_until_its_time_is_almost_over(self, size: int) -> None:
        self.show_all_as_it_is()
        self.quote = quote()
        if size and not self.hand[OURS]:
            self.exchange.fill(D(size))
        self.look(max(0, 40 - int((self.exchange.now - NOW).total_seconds())))

    @precondition(lambda self: self._waiting() is not None)
    @rule(answer=st.sampled_from(["ok", "ok", "held", "lost", "rejected"]))
    def send_the_rest(self, answer: Any) -> None:
        """Whoever tries, with lists of whatever moment: what is claimed once is not claimed again."""
        waiting = self._waiting()
        assert waiting is not None
        self.exchange.answers = [answer]
        with suppress(BrokerUnavailable):
            fall_back(
                waiting,
                self.plan,
                ENTRY,
                read_market=lambda: observation(quote=quote(at=self.exchange.now)),
                broker=cast(Broker, self.exchange),
                ledger=cast(RestLedger, self),
                last_check=lambda plan: None,
                clock=lambda: self.exchange.now,
            )

    def claim_rest(self, rest: RestPlan, now: datetime) -> Claimed | Refusal:
        waiting = self._waiting()
        refusal = rest_refusal(rest, waiting, state(), now)
        return refusal or Claimed(rest.plan.decision_key, OrderStatus.SUBMITTING, rest.plan.leverage)

    def record(self, happened: Sequence[events.Event]) -> None:
        self._record(list(happened))

    def _waiting(self) -> TrackedOrder | None:
        return waiting_rest(self.book, self.exchange.now)

    # who follows

    @rule(seconds=st.integers(1, 4))
    def look(self, seconds: int) -> None:
        for _ in range(seconds):
            self._look()

    def _look(self) -> None:
        self.exchange.remember()
        self.exchange.now += timedelta(seconds=1)
        seen, _ = observe(
            cast(Broker, self.exchange),
            self.book,
            ExchangeBook(SYMBOL),
            constraints=CONSTRAINTS,
            clock=lambda: self.exchange.now,
            trades=True,
        )
        if self.quote is not None:
            seen = replace(seen, quote=replace(self.quote, at=self.exchange.now))
        before = {order.client_order_id: order.status for order in self.book.orders}
        now = self.exchange.now
        result = follow(self.book, seen, contract(), constraints=CONSTRAINTS, off={}, now=now)
        for order in result.book.orders:
            status = before.get(order.client_order_id, order.status)
            assert order.status == status or order.status in TRANSITIONS[status], (status, order.status)
        self.recorded += result.events
        self.book = result.book
        if not self.died:
            for action in result.actions:
                self._check(action)
                perform(action, broker=cast(Broker, self.exchange), now=now)
        late = any(self.exchange.lag_s.values())
        disturbed = self.died or late or self.exchange.empty or self.exchange.away
        self.died = False
        is_naked = self._held() > 0 and not any(
            stop.side == OURS and stop.kind == ProtectionKind.STOP for stop in self.exchange.stops.values()
        )
        self.naked_s = self.naked_s + 1 if is_naked and not disturbed else 0
        exited = any(trade.side == OURS and not trade.opens for trade in self.exchange.trades)
        self.looks_since_exit = self.looks_since_exit + 1 if exited and not disturbed else 0

    def _held(self) -> Decimal:
        """What is ours of the position on our side."""
        held = self.exchange.held.get(OURS)
        return D(0) if held is None else held.size - self.hand[OURS]

    def _ours_traded(self) -> bool:
        return any(
            trade.opens and trade.exchange_order_id != "hand" and trade.side == OURS
            for trade in self.exchange.trades
        )

    def _check(self, action: object) -> None:
        if isinstance(action, Unprotect):
            stop = self.exchange.stops.get(action.exchange_order_id)
            protects = stop is not None and stop.side == OURS and stop.kind == ProtectionKind.STOP
            assert not protects or not self._held(), "a stop that protects is taken away"
        if isinstance(action, Close):
            assert action.request.side == OURS, "what is held on the other side is not ours"
            assert self._held() or OURS not in self.exchange.held, "what others opened is not ours to close"
        if isinstance(action, Protect):
            assert action.side == OURS

    def _record(self, happened: list[events.Event]) -> None:
        self.recorded += happened
        self.book = book_after(self.book, happened)

    @invariant()
    def what_is_held_and_shown_is_soon_protected(self) -> None:
        assert self.naked_s <= NAKED_AT_MOST_S, [event.name for event in self.recorded]

    @invariant()
    def stops_never_loosen(self) -> None:
        stops = [stop for stop in self.exchange.stops.values() if stop.kind == ProtectionKind.STOP]
        prices = [stop.trigger_price for stop in stops if stop.side == OURS]
        before = self.tightest if self._held() else self.plan.stop
        self.tightest = max(prices, default=before)
        assert self.tightest >= before, "not even after it was lost"

    @invariant()
    def no_tranche_rests_for_long_after_the_first_exit(self) -> None:
        assert self.looks_since_exit <= 4 or not self.exchange.resting, [
            event.name for event in self.recorded
        ]

    @invariant()
    def never_more_than_the_plan_is_opened(self) -> None:
        ours = (each.size for each in self.exchange.trades if each.opens and each.exchange_order_id != "hand")
        assert sum(ours, D(0)) <= self.plan.size

    def teardown(self) -> None:
        self.show_all_as_it_is()
        for _ in range(100):
            self._look()
        if not self.hand[OURS]:
            self.exchange.trigger(ProtectionKind.STOP)
        for _ in range(130):
            self._look()
        names = [event.name for event in self.recorded]
        assert self._held() == 0 or OURS in self.hand, names
        assert self.exchange.resting == {}, names
        assert self.book.locked_by is None, names
        assert all(order.status not in LIVE for order in self.book.orders)
        for side, size in self.hand.items():
            held = self.exchange.held.get(side)
            assert (held.size if held else D(0)) == size, "what others opened is as they left it"


def _with(order: TrackedOrder, exchange_id: str, status: OrderStatus = OrderStatus.SUBMITTED) -> TrackedOrder:
    return replace(order, status=status, exchange_order_id=exchange_id)


Life.TestCase.settings = settings(max_examples=examples(400), stateful_step_count=30, deadline=None)
TestLife = Life.TestCase
