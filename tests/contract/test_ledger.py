"""What every Ledger keeps, in memory and in the rooms."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection

from apps.engine import events
from apps.engine.ports.account import Claimed, Ledger, RestLedger
from apps.engine.values.account import AccountLimits, Exposure
from apps.engine.values.book import RestPlan, TrackedOrder
from apps.engine.values.entry import EntryRules, Fallback, OrderType, RestingZone
from apps.engine.values.exit import ExitRules
from apps.engine.values.order import OrderStatus, ProtectionKind, TimeInForce
from apps.engine.values.plan import Limits, OrderPlan
from apps.engine.values.position import PositionStatus, Side
from apps.engine.values.reason import Reason, Refusal
from tests.contract.books import BOOKS, Books
from tests.rooms.trades import NOW, at, fill, in_three, order, plan, position

BTC = "BTCUSDT"


@pytest.fixture(params=sorted(BOOKS))
def books(request: pytest.FixtureRequest, db: None) -> Books:
    return BOOKS[request.param]()


def claimed(ledger: Ledger, plan: OrderPlan) -> OrderPlan:
    assert isinstance(ledger.claim(plan, NOW), Claimed)
    return plan


def refused(answer: Claimed | Refusal) -> Reason:
    assert isinstance(answer, Refusal)
    return answer.reason


def order_event(
    kind: type[events.OrderEvent], of: OrderPlan, status: OrderStatus, seconds: float
) -> events.Event:
    return kind(symbol=of.symbol, at=at(seconds), order=order(of, status))


def opened(of: OrderPlan) -> list[events.Event]:
    """Acknowledged, filled whole, held, protected."""
    held = position(of)
    return [
        order_event(events.OrderAcknowledged, of, OrderStatus.SUBMITTED, 1),
        order_event(events.OrderFilled, of, OrderStatus.FILLED, 3),
        events.FillSeen(symbol=of.symbol, at=at(3), fill=fill(of, "t1")),
        events.PositionOpened(symbol=of.symbol, at=at(3), position=held),
        events.PositionProtected(
            symbol=of.symbol,
            at=at(4),
            position=replace(held, status=PositionStatus.PROTECTED, naked_since=None),
        ),
    ]


def closed(of: OrderPlan, **changes: Decimal) -> list[events.Event]:
    held = position(of, PositionStatus.CLOSED, size=Decimal(0))
    return [
        events.FillSeen(symbol=of.symbol, at=at(601), fill=fill(of, "t2", opens=False, **changes)),
        events.PositionClosed(symbol=of.symbol, at=at(602), position=held),
        events.SymbolReleased(symbol=of.symbol, at=at(603), decision_key=of.decision_key),
    ]


def test_how_a_position_is_left_and_how_far_that_has_come_is_in_its_book(books: Books) -> None:
    rules = ExitRules(Decimal("101"), Decimal("0.0006"), True, Decimal("0.123456789"), 3600)
    ledger, entered = books.ledger(), plan(exits=rules)
    claimed(ledger, entered)
    [tracked] = books.book(BTC, at(1)).orders
    assert tracked.exits == rules
    ledger.record(opened(entered))
    moving = replace(
        position(entered, PositionStatus.PROTECTED),
        first_targets_asked=2,
        first_target_asked_at=at(190),
        next_stop=Decimal("100.1"),
        recalculated_at=at(191),
    )
    asked = events.ProtectionAsked(
        symbol=BTC,
        at=at(191),
        position=moving,
        kind=ProtectionKind.STOP,
        trigger_price=Decimal("100.1"),
        client_order_id="tv3s1",
    )
    ledger.record([asked])
    assert books.book(BTC, at(192)).positions == (moving,)
    moved = replace(moving, stop=Decimal("100.1"), next_stop=None)
    ledger.record([events.StopMoved(symbol=BTC, at=at(192), position=moved)])
    assert books.book(BTC, at(193)).positions == (moved,)
    over = replace(moved, status=PositionStatus.CLOSING, close_reason="time stop")
    ledger.record([events.TimeStop(symbol=BTC, at=at(3600), position=over)])
    assert books.book(BTC, at(3601)).positions == (over,)


def test_an_empty_book_says_that_nothing_is_there(books: Books) -> None:
    state = books.ledger().state([BTC], NOW)
    assert (state.off, state.exposures, state.lost_today) == ({}, (), {})
    assert state.symbol(BTC) == state.symbol("ETHUSDT")
    assert books.book(BTC, NOW).orders == ()


def test_a_claim_reserves_risk_notional_and_slot_and_locks_its_symbol(books: Books) -> None:
    ledger, entered = books.ledger(), plan()
    assert ledger.claim(entered, NOW) == Claimed(entered.decision_key, OrderStatus.SUBMITTING)
    state = ledger.state([BTC], NOW)
    assert state.exposures == (
        Exposure(
            entered.decision_key, "regular", BTC, Side.LONG, entered.sizing.notional, entered.sizing.risk
        ),
    )
    assert state.symbol(BTC).locked_by == entered.decision_key
    assert state.symbol(BTC).consumed == {entered.decision_key}


def test_a_claim_stands_for_an_order_that_may_leave_from_now_on(books: Books) -> None:
    entered = claimed(books.ledger(), plan())
    [tracked] = books.book(BTC, NOW).orders
    assert tracked == order(entered, OrderStatus.SUBMITTING, exchange_order_id="")


def test_a_claim_stands_for_every_tranche_and_reserves_their_sum(books: Books) -> None:
    entered = claimed(books.ledger(), in_three())
    tracked = sorted(books.book(BTC, NOW).orders, key=lambda each: each.tranche)
    assert [(each.part, each.price, each.size) for each in tracked] == [
        ("1/3", Decimal("100"), Decimal("500")),
        ("2/3", Decimal("99.8"), Decimal("300")),
        ("3/3", Decimal("99.6"), Decimal("200")),
    ]
    assert tuple(tracked) == TrackedOrder.all_of(entered)
    [exposure] = books.ledger().state([BTC], NOW).exposures
    assert (exposure.notional, exposure.risk) == (entered.sizing.notional, entered.sizing.risk)


def test_the_sum_is_reserved_and_the_symbol_locked_until_the_last_tranche_is_over(books: Books) -> None:
    ledger, entered = books.ledger(), in_three()
    claimed(ledger, entered)
    first, second, third = TrackedOrder.all_of(entered)
    over = [replace(first, status=OrderStatus.DENIED), replace(second, status=OrderStatus.DENIED)]
    ledger.record([events.OrderLookedUp(symbol=BTC, at=at(1), order=order) for order in over])
    ledger.record(
        [events.OrderUnknown(symbol=BTC, at=at(2), order=replace(third, status=OrderStatus.UNKNOWN))]
    )
    state = ledger.state([BTC], NOW)
    assert [exposure.risk for exposure in state.exposures] == [entered.sizing.risk], "unknown counts in full"
    assert (state.symbol(BTC).unknown, state.symbol(BTC).locked_by) == (True, entered.decision_key)


def test_the_same_decision_is_claimed_once(books: Books) -> None:
    ledger, entered = books.ledger(), plan()
    claimed(ledger, entered)
    assert refused(ledger.claim(entered, NOW)) is Reason.DUPLICATE_DECISION


def test_a_decision_stays_consumed_when_its_lock_is_gone(books: Books) -> None:
    ledger = books.ledger()
    entered = claimed(ledger, plan())
    ledger.record(
        [
            order_event(events.OrderUnknown, entered, OrderStatus.UNKNOWN, 80),
            order_event(events.OrderNeverArrived, entered, OrderStatus.NEVER_ARRIVED, 81),
            events.SymbolReleased(symbol=BTC, at=at(81), decision_key=entered.decision_key),
        ]
    )
    assert refused(ledger.claim(entered, at(90))) is Reason.DUPLICATE_DECISION
    assert isinstance(ledger.claim(plan(n=1), at(90)), Claimed)


def test_two_profiles_never_share_a_symbol(books: Books) -> None:
    ledger = books.ledger()
    claimed(ledger, plan())
    assert refused(ledger.claim(plan(profile="scalper"), NOW)) is Reason.SYMBOL_LOCKED


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("GLOBAL", Reason.KILL_SWITCH_GLOBAL),
        ("PROFILE:regular", Reason.KILL_SWITCH_PROFILE),
        (f"SYMBOL:{BTC}", Reason.KILL_SWITCH_SYMBOL),
        (f"SYMBOL_TF:{BTC}:1h", Reason.KILL_SWITCH_SYMBOL_TF),
    ],
)
def test_a_switch_turned_off_after_the_plan_still_refuses_the_claim(
    books: Books, key: str, reason: Reason
) -> None:
    ledger = books.ledger()
    books.switch_off(key)
    assert refused(ledger.claim(plan(), NOW)) is reason
    assert books.book(BTC, NOW).orders == ()


def test_books_that_were_not_compared_yet_claim_nothing(books: Books) -> None:
    assert refused(books.ledger(reconciled=False).claim(plan(), NOW)) is Reason.NOT_RECONCILED


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (AccountLimits(max_positions=1), Reason.MAX_CONCURRENT_POSITIONS_REACHED),
        (AccountLimits(daily_loss_pct=Decimal("0.2")), Reason.DAILY_LOSS_LIMIT_REACHED),
        (AccountLimits(total_notional_ratio=Decimal("0.15")), Reason.MAX_TOTAL_NOTIONAL_REACHED),
        (AccountLimits(direction_notional_ratio=Decimal("0.15")), Reason.MAX_EXPOSURE_REACHED),
    ],
)
def test_what_is_reserved_counts_before_anything_is_filled(
    books: Books, limits: AccountLimits, reason: Reason
) -> None:
    ledger = books.ledger(limits=limits)
    claimed(ledger, plan())
    assert refused(ledger.claim(plan("ETHUSDT"), NOW)) is reason


def test_a_profiles_own_limit_counts_its_own_trades_only(books: Books) -> None:
    ledger, limits = books.ledger(), Limits(Decimal(60), 1)
    claimed(ledger, plan(limits=limits))
    claimed(ledger, plan("ETHUSDT", profile="scalper", limits=limits))
    assert (
        refused(ledger.claim(plan("XRPUSDT", limits=limits), NOW)) is Reason.MAX_CONCURRENT_POSITIONS_REACHED
    )


def test_a_plan_that_waits_for_a_person_reserves_and_sends_nothing(books: Books) -> None:
    ledger, entered = books.ledger(), plan(review=True)
    assert ledger.claim(entered, NOW) == Claimed(entered.decision_key, OrderStatus.PENDING_REVIEW)
    assert books.book(BTC, NOW).orders == ()
    assert len(ledger.state([], NOW).exposures) == 1
    assert refused(ledger.claim(entered, NOW)) is Reason.DUPLICATE_DECISION


def test_an_approved_plan_is_claimed_with_its_new_numbers_and_once(books: Books) -> None:
    ledger, entered = books.ledger(review=True), plan()
    claimed(ledger, entered)
    books.approve(entered.decision_key)
    again = replace(entered, entry=Decimal("99.9"), created_at=at(60), send_before=at(70))
    assert ledger.claim(again, at(60)) == Claimed(entered.decision_key, OrderStatus.SUBMITTING)
    [tracked] = books.book(BTC, at(60)).orders
    assert (tracked.price, tracked.send_before) == (Decimal("99.9"), at(70))
    assert refused(ledger.claim(again, at(61))) is Reason.DUPLICATE_DECISION


@pytest.mark.parametrize("approved", [True, False])
def test_an_approved_plan_ends_by_its_own_refusal_and_not_by_that_of_the_same_decision_judged_again(
    books: Books, approved: bool
) -> None:
    ledger, entered = books.ledger(review=True), plan()
    claimed(ledger, entered)
    books.approve(entered.decision_key)
    refusal = events.PlanRefused(
        symbol=BTC,
        at=at(60),
        profile="regular",
        side=Side.LONG,
        timeframe=entered.timeframe,
        decision_key=entered.decision_key,
        reason=Reason.PRICE_MOVED if approved else Reason.DUPLICATE_DECISION,
        numbers={"stop": Decimal(99)},
        approved=approved,
    )
    ledger.record([refusal])
    locked_by = ledger.state([BTC], at(60)).symbol(BTC).locked_by
    if approved:
        assert locked_by is None
        assert refused(ledger.claim(entered, at(61))) is Reason.DUPLICATE_DECISION
    else:
        assert locked_by == entered.decision_key
        assert isinstance(ledger.claim(entered, at(61)), Claimed)


def test_what_lives_after_the_locks_end_holds_its_symbol_again_and_counts(books: Books) -> None:
    ledger, entered = books.ledger(), claimed(books.ledger(), plan())
    cancelled = order(entered, OrderStatus.CANCELLED)
    ledger.record(
        [
            events.OrderCancelled(symbol=BTC, at=at(70), order=cancelled),
            events.SymbolReleased(symbol=BTC, at=at(70), decision_key=entered.decision_key),
        ]
    )
    assert ledger.state([BTC], at(71)).exposures == ()
    ledger.record(opened(entered))
    state = ledger.state([BTC], at(80))
    assert state.symbol(BTC).locked_by == entered.decision_key
    assert [exposure.decision_key for exposure in state.exposures] == [entered.decision_key]


def test_an_order_is_followed_to_its_position(books: Books) -> None:
    ledger = books.ledger()
    entered = claimed(ledger, plan())
    ledger.record(opened(entered))
    book = books.book(BTC, at(5))
    [tracked], [held] = book.orders, book.positions
    assert (tracked.status, tracked.filled, tracked.average_price) == (OrderStatus.FILLED, 1000, 100)
    assert (held.status, held.size, held.stop, held.naked_since) == (PositionStatus.PROTECTED, 1000, 99, None)
    assert book.trade_ids == {"t1"}
    assert ledger.state([BTC], at(5)).symbol(BTC).occupied
    assert ledger.state([BTC], at(5)).symbol(BTC).leverage == entered.leverage


def test_a_leverage_that_may_have_been_set_for_an_order_that_never_left_is_not_believed(books: Books) -> None:
    ledger = books.ledger()
    traded = claimed(ledger, plan())
    ledger.record([*opened(traded), *closed(traded)])
    assert ledger.state([BTC], at(700)).symbol(BTC).leverage == traded.leverage
    higher = replace(traded.sizing, leverage=traded.leverage + 3)
    held_back = plan(n=1, sizing=higher, created_at=at(701))
    claim = ledger.claim(held_back, at(701))
    assert claim == Claimed(held_back.decision_key, OrderStatus.SUBMITTING, traded.leverage)
    denied = order(held_back, OrderStatus.DENIED, exchange_order_id="")
    ledger.record(
        [
            events.OrderDenied(symbol=BTC, at=at(702), order=denied, reason=Reason.RATE_LIMITED),
            events.SymbolReleased(symbol=BTC, at=at(703), decision_key=held_back.decision_key),
        ]
    )
    assert ledger.state([BTC], at(704)).symbol(BTC).leverage is None


def test_a_plan_that_ended_while_it_waited_for_a_person_set_no_leverage(books: Books) -> None:
    ledger = books.ledger(review=True)
    waiting = claimed(ledger, plan())
    books.approve(waiting.decision_key)
    ledger.record(
        [
            events.PlanRefused(
                symbol=BTC,
                at=at(60),
                profile="regular",
                side=Side.LONG,
                timeframe=waiting.timeframe,
                decision_key=waiting.decision_key,
                reason=Reason.PRICE_MOVED,
                numbers={},
            )
        ]
    )
    assert ledger.state([BTC], at(61)).symbol(BTC).leverage is None


def test_news_of_an_older_row_do_not_turn_an_order_back(books: Books) -> None:
    ledger = books.ledger()
    entered = claimed(ledger, plan())
    ledger.record([order_event(events.OrderFilled, entered, OrderStatus.FILLED, 2)])
    ledger.record([order_event(events.OrderAcknowledged, entered, OrderStatus.SUBMITTED, 3)])
    [tracked] = books.book(BTC, at(4)).orders
    assert (tracked.status, tracked.filled) == (OrderStatus.FILLED, entered.size)


def test_an_unknown_order_blocks_its_symbol(books: Books) -> None:
    ledger = books.ledger()
    entered = claimed(ledger, plan())
    ledger.record([order_event(events.OrderUnknown, entered, OrderStatus.UNKNOWN, 4)])
    assert ledger.state([BTC], at(5)).symbol(BTC).unknown
    assert refused(ledger.claim(plan(n=1), at(5))) is Reason.SYMBOL_STATE_UNKNOWN


def test_the_same_fill_twice_is_stored_once(books: Books) -> None:
    ledger = books.ledger()
    entered = claimed(ledger, plan())
    ledger.record(opened(entered))
    ledger.record([events.FillSeen(symbol=BTC, at=at(9), fill=fill(entered, "t1"))])
    ledger.record(closed(entered))
    assert ledger.state([], at(700)).lost_today == {"regular": Decimal("-1.88")}


def test_a_closed_and_released_symbol_is_free_and_its_loss_counts_today(books: Books) -> None:
    ledger = books.ledger()
    entered = claimed(ledger, plan())
    ledger.record(opened(entered))
    ledger.record(closed(entered, price=Decimal(99), realised=Decimal(-1)))
    state = ledger.state([BTC], at(700))
    assert (state.exposures, state.symbol(BTC).locked_by, state.symbol(BTC).occupied) == ((), None, False)
    assert state.lost_today == {"regular": Decimal("1.12")}
    assert isinstance(ledger.claim(plan(n=1), at(700)), Claimed)


def test_each_position_counts_its_own_fills_and_a_new_day_begins_at_nothing(books: Books) -> None:
    ledger = books.ledger()
    for n, trade in enumerate("ab"):
        entered = claimed(ledger, plan(n=n))
        happened = [*opened(entered), *closed(entered, price=Decimal(99), realised=Decimal(-1))]
        ledger.record([_renamed(event, trade) for event in happened])
        assert ledger.state([], at(700)).lost_today == {"regular": Decimal("1.12") * (n + 1)}
    assert ledger.state([], NOW + timedelta(days=1)).lost_today == {}


def _renamed(event: events.Event, trade: str) -> events.Event:
    if isinstance(event, events.FillSeen):
        return replace(event, fill=replace(event.fill, trade_id=event.fill.trade_id + trade))
    return event


def test_a_lock_is_released_only_for_the_decision_that_holds_it(books: Books) -> None:
    ledger = books.ledger()
    entered = claimed(ledger, plan())
    ledger.record([events.SymbolReleased(symbol=BTC, at=at(1), decision_key=plan(n=1).decision_key)])
    assert ledger.state([BTC], at(1)).symbol(BTC).locked_by == entered.decision_key


def test_the_newest_cooldown_replaces_the_one_before_and_ends_by_itself(books: Books) -> None:
    ledger, entered = books.ledger(), plan()

    def cool(minutes: int) -> events.Event:
        until = NOW + timedelta(minutes=minutes)
        key = entered.decision_key
        return events.CooldownSet(symbol=BTC, at=NOW, decision_key=key, until=until, because="submitted")

    ledger.record([cool(240)])
    assert refused(ledger.claim(entered, NOW)) is Reason.COOLDOWN_ACTIVE
    ledger.record([cool(15)])
    assert refused(ledger.claim(entered, NOW + timedelta(minutes=14))) is Reason.COOLDOWN_ACTIVE
    assert isinstance(ledger.claim(entered, NOW + timedelta(minutes=15)), Claimed)


@pytest.mark.parametrize("make", BOOKS.values(), ids=BOOKS)
@pytest.mark.django_db(transaction=True)
def test_of_claims_at_once_one_a_symbol_is_granted_and_no_limit_is_overrun(make: Callable[[], Books]) -> None:
    """Eight threads want four symbols, twice each; the account has room for three."""
    ledger = make().ledger(limits=AccountLimits(max_positions=3))
    wanted = [plan(f"C{n % 4}USDT", profile=f"p{n // 4}") for n in range(8)]
    start = Barrier(len(wanted))

    def claim(wanted_plan: OrderPlan) -> Claimed | Refusal:
        try:
            start.wait()
            return ledger.claim(wanted_plan, NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(wanted)) as pool:
        answers = list(pool.map(claim, wanted))
    granted = [
        each.symbol for each, answer in zip(wanted, answers, strict=True) if isinstance(answer, Claimed)
    ]
    assert len(granted) == len(set(granted)) == 3
    assert len(ledger.state([], NOW).exposures) == 3


# the rest of an entry, at the end of its time

RESTS = EntryRules(
    zone=RestingZone(Decimal("99.5"), Decimal("100.5"), Decimal("100.1"), Decimal(10)),
    fallback=Fallback(25, Decimal(8)),
)
AT_ONCE = EntryRules(OrderType.MARKET, TimeInForce.IOC)


def taken_back(ledger: RestLedger, entered: OrderPlan) -> TrackedOrder:
    """Claimed, taken by the exchange, and cancelled so that its rest may be sent anew."""
    claimed(ledger, entered)
    ledger.record([order_event(events.OrderAcknowledged, entered, OrderStatus.SUBMITTED, 1)])
    asked = order(entered, cancel_asked_at=at(100), fallback_before=entered.expires_at)
    ledger.record([events.OrderCancelAsked(symbol=BTC, at=at(100), order=asked, detail="fallback")])
    over = replace(asked, status=OrderStatus.CANCELLED)
    ledger.record([events.OrderCancelled(symbol=BTC, at=at(101), order=over)])
    return over


def rest_of(entered: OrderPlan, over: TrackedOrder) -> RestPlan:
    """900 of its 1,000 contracts, for 1.3 instead of 1.2 USDT at risk."""
    left = replace(entered.sizing, size=Decimal(900), risk=Decimal("1.3"), notional=Decimal(101))
    anew = replace(entered, entry=Decimal("100.2"), sizing=left, created_at=at(102), entry_rules=AT_ONCE)
    return RestPlan(over, anew, left)


def test_how_an_entry_is_sent_and_taken_back_is_in_its_book(books: Books) -> None:
    ledger, entered = books.ledger(), plan(entry_rules=RESTS)
    over = taken_back(ledger, entered)
    assert books.book(BTC, at(102)).orders == (over,)
    assert over.entry_rules == RESTS


def test_a_rest_becomes_the_next_attempt_of_its_decision_under_its_lock_and_reserves_what_it_needs(
    books: Books,
) -> None:
    ledger, entered = books.ledger(), plan(entry_rules=RESTS)
    rest = rest_of(entered, taken_back(ledger, entered))
    assert ledger.claim_rest(rest, at(102)) == Claimed(entered.decision_key, OrderStatus.SUBMITTING, 5)
    stored = books.book(BTC, at(103))
    assert stored.locked_by == entered.decision_key
    assert stored.orders[-1] == TrackedOrder.of(rest.plan, 1)
    [exposure] = ledger.state([BTC], at(103)).exposures
    assert (exposure.risk, exposure.notional) == (Decimal("1.3"), Decimal(101))


def test_a_rest_is_claimed_once(books: Books) -> None:
    ledger, entered = books.ledger(), plan(entry_rules=RESTS)
    rest = rest_of(entered, taken_back(ledger, entered))
    assert isinstance(ledger.claim_rest(rest, at(102)), Claimed)
    assert refused(ledger.claim_rest(rest, at(103))) == Reason.DUPLICATE_DECISION
    assert [each.attempt for each in books.book(BTC, at(104)).orders] == [0, 1]


@pytest.mark.parametrize("why", ["late", "alive", "more filled", "given up"])
def test_a_rest_that_does_not_wait_as_it_was_planned_is_not_claimed(books: Books, why: str) -> None:
    ledger, entered = books.ledger(), plan(entry_rules=RESTS)
    over, now = taken_back(ledger, entered), at(102)
    rest = rest_of(entered, over)
    if why == "late":
        now = entered.expires_at
    elif why == "alive":
        alive = replace(over, status=OrderStatus.SUBMITTED)
        ledger.record([events.OrderResting(symbol=BTC, at=at(102), order=alive)])
    elif why == "more filled":
        more = replace(over, filled=Decimal(3), average_price=Decimal(100))
        ledger.record([events.OrderFilled(symbol=BTC, at=at(102), order=more)])
    else:
        refused_before = replace(over, fallback_before=over.sent_at)
        ledger.record(
            [events.FallbackRefused(symbol=BTC, at=at(102), order=refused_before, reason=Reason.QUOTE_STALE)]
        )
    assert refused(ledger.claim_rest(rest, now)) == Reason.DUPLICATE_DECISION
    assert all(each.attempt == 0 for each in books.book(BTC, at(104)).orders)


def test_a_rest_is_an_opening_order_to_switches_and_limits(books: Books) -> None:
    ledger, entered = books.ledger(), plan(entry_rules=RESTS)
    rest = rest_of(entered, taken_back(ledger, entered))
    risky = replace(rest, total=replace(rest.total, risk=Decimal(61)))
    assert refused(ledger.claim_rest(risky, at(102))) == Reason.DAILY_LOSS_LIMIT_REACHED
    books.switch_off(f"SYMBOL:{BTC}")
    assert refused(ledger.claim_rest(rest, at(102))) == Reason.KILL_SWITCH_SYMBOL
    assert [each.attempt for each in books.book(BTC, at(104)).orders] == [0]


@pytest.mark.parametrize("make", BOOKS.values(), ids=BOOKS)
@pytest.mark.django_db(transaction=True)
def test_of_workers_that_claim_a_rest_at_once_one_is_granted(make: Callable[[], Books]) -> None:
    books, entered = make(), plan(entry_rules=RESTS)
    ledger = books.ledger()
    rest = rest_of(entered, taken_back(ledger, entered))
    start = Barrier(4)

    def claim(_: int) -> Claimed | Refusal:
        try:
            start.wait()
            return ledger.claim_rest(rest, at(102))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(claim, range(4)))
    assert sum(isinstance(answer, Claimed) for answer in answers) == 1
    reasons = {answer.reason for answer in answers if isinstance(answer, Refusal)}
    assert reasons == {Reason.DUPLICATE_DECISION}
    assert [each.attempt for each in books.book(BTC, at(103)).orders] == [0, 1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("make", [BOOKS[name] for name in sorted(BOOKS)], ids=sorted(BOOKS))
def test_of_claims_of_one_decision_at_once_one_gets_all_its_tranches(make: Callable[[], Books]) -> None:
    books = make()
    ledger, entered, start = books.ledger(), in_three(), Barrier(4)

    def claim(_: int) -> Claimed | Refusal:
        try:
            start.wait()
            return ledger.claim(entered, NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(claim, range(4)))
    assert sorted(type(answer).__name__ for answer in answers) == ["Claimed", *["Refusal"] * 3]
    assert sorted(order.part for order in books.book(BTC, NOW).orders) == ["1/3", "2/3", "3/3"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("make", [BOOKS[name] for name in sorted(BOOKS)], ids=sorted(BOOKS))
def test_tranches_written_by_their_sender_and_by_following_at_once_are_all_as_they_came(
    make: Callable[[], Books],
) -> None:
    books = make()
    ledger, entered = books.ledger(), claimed(books.ledger(), in_three())
    tracked, start = TrackedOrder.all_of(entered), Barrier(2)

    def record(moves: list[tuple[int, OrderStatus]]) -> None:
        try:
            start.wait()
            for number, status in moves:
                filled = tracked[number].size if status is OrderStatus.FILLED else Decimal(0)
                news = replace(
                    tracked[number],
                    status=status,
                    exchange_order_id=f"x{number}",
                    filled=filled,
                    average_price=tracked[number].price if filled else Decimal(0),
                )
                ledger.record([events.OrderResting(symbol=BTC, at=at(1), order=news)])
        finally:
            connection.close()

    sender = [(number, OrderStatus.SUBMITTED) for number in range(3)]
    watch = [(number, OrderStatus.FILLED) for number in (2, 1, 0)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(record, (sender, watch)))
    assert {order.status for order in books.book(BTC, NOW).orders} == {OrderStatus.FILLED}
