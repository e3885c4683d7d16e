"""The narrow step: one verdict, planned, claimed and sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from apps.engine import events
from apps.engine.enter.entry_price import ZoneRefusal
from apps.engine.enter.observation import Observation
from apps.engine.enter.plan import make_plan, remake_plan
from apps.engine.evaluate.judgement import MinuteJudgement, PastJudgement, judge_history, minute_judgement
from apps.engine.evaluate.verdict import Verdict
from apps.engine.follow.action import CancelOrder, Close, Protect, Unprotect
from apps.engine.follow.symbol import COOLDOWN, FollowResult, cooldown_event, follow_symbol
from apps.engine.frame import Frames, Ints
from apps.engine.ports import (
    Broker,
    BrokerRateLimited,
    BrokerRejected,
    BrokerUnavailable,
    BrokerUnknown,
    Claimed,
    Ledger,
)
from apps.engine.profile import Profile
from apps.engine.values.book import SymbolBook, SymbolSeen, TrackedOrder
from apps.engine.values.contract import Contract
from apps.engine.values.errors import TradingError
from apps.engine.values.order import OrderStatus, decision_key
from apps.engine.values.plan import OrderPlan
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.state import AccountState
from apps.engine.values.venue import VenueConstraints

LastCheck = Callable[[OrderPlan], Refusal | None]
"""Called right before the bytes leave: `guards.send_refusal` with that moment's clock and switches."""


@dataclass(frozen=True, slots=True)
class EntryResult:
    """A claimed plan, and how far it came; `sent` None: it waits for a person."""

    plan: OrderPlan
    sent: SendResult | None


def enter(
    verdict: Verdict,
    profile: Profile,
    snapshot: Observation,
    *,
    broker: Broker,
    ledger: Ledger,
    last_check: LastCheck,
    now: datetime,
    approved: OrderPlan | None = None,
    state: AccountState | None = None,
) -> EntryResult | Refusal:
    """Plan, claim, set the leverage, send with stop and target attached; every step recorded.

    `approved` is the plan a person approved: it is made again from now's snapshot and must not be worse.
    `state`: what the ledger told a moment ago, where it was asked already; the claim asks again in any case.
    What the ledger raises goes through: before the claim nothing happened, after it the order is in doubt and
    is followed as such.
    """
    state = state or ledger.state([verdict.symbol], now)
    if approved is None:
        plan = make_plan(verdict, profile, snapshot, state, now)
    else:
        plan = remake_plan(approved, verdict, profile, snapshot, state, now)
    if isinstance(plan, Refusal):
        ledger.record(_refused(plan, verdict, profile, snapshot, now))
        return plan
    claimed = ledger.claim(plan, now)
    if isinstance(claimed, Refusal):
        ledger.record(_refused(claimed, verdict, profile, snapshot, now))
        return claimed
    return _claimed(plan, claimed, broker, ledger, last_check, now)


def _claimed(
    plan: OrderPlan,
    claimed: Claimed,
    broker: Broker,
    ledger: Ledger,
    last_check: LastCheck,
    now: datetime,
) -> EntryResult:
    said: list[events.Event] = [
        events.PlanMade(symbol=plan.symbol, at=now, plan=plan),
        events.PlanClaimed(symbol=plan.symbol, at=now, plan=plan, status=claimed.status),
    ]
    if claimed.status == OrderStatus.PENDING_REVIEW:
        ledger.record(said)
        return EntryResult(plan, None)
    order = TrackedOrder.of(plan)
    ledger.record([*said, events.OrderSubmitted(symbol=plan.symbol, at=now, order=order)])
    sent = send(
        plan,
        broker=broker,
        ledger=ledger,
        last_check=lambda: last_check(plan),
        leverage_set=claimed.leverage == plan.leverage,
        now=now,
    )
    return EntryResult(plan, sent)


def _refused(
    refusal: Refusal, verdict: Verdict, profile: Profile, snapshot: Observation, now: datetime
) -> list[events.Event]:
    key = _decision_key(verdict, profile)
    said: list[events.Event] = [
        events.PlanRefused(
            symbol=verdict.symbol,
            at=now,
            profile=profile.name,
            side=verdict.side,
            timeframe=verdict.execution_timeframe,
            decision_key=key,
            reason=refusal.reason,
            numbers=refusal.numbers,
        )
    ]
    if isinstance(refusal, ZoneRefusal):
        said.append(_zone_skipped(refusal, verdict, profile, snapshot, key, now))
    return said


def _zone_skipped(
    refusal: ZoneRefusal, verdict: Verdict, profile: Profile, snapshot: Observation, key: str, now: datetime
) -> events.ZoneSkipped:
    assert verdict.side is not None
    assert verdict.execution_timeframe is not None
    assert snapshot.quote is not None
    return events.ZoneSkipped(
        symbol=verdict.symbol,
        at=now,
        profile=profile.name,
        side=verdict.side,
        timeframe=verdict.execution_timeframe,
        decision_key=key,
        reason=refusal.reason,
        zone=refusal.zone,
        candidate=refusal.candidate,
        deviation_pct=refusal.deviation_pct,
        limit_pct=refusal.limit_pct,
        spread_bps=snapshot.quote.spread_bps,
        volume_ratio=snapshot.number(verdict.execution_timeframe, "volume_ratio"),
        category=refusal.category,
    )


def _decision_key(verdict: Verdict, profile: Profile) -> str:
    timeframe, opened_at, side = verdict.execution_timeframe, verdict.candle_open_at, verdict.side
    if timeframe is None or opened_at is None or side is None:
        return ""
    return decision_key(profile.name, verdict.symbol, timeframe, opened_at, side)


MAX_ATTEMPTS = 3
"""Only what the exchange asks to be tried again is: each time as a new order under a new id."""


class SendRefused(TradingError):
    """The last look said no: nothing was sent. It passes through the broker and ends here."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.reason} {dict(refusal.numbers)}")
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class SendResult:
    """How the last attempt ended: SUBMITTED, UNKNOWN, REJECTED, or DENIED with a reason."""

    order: TrackedOrder
    reason: Reason | None = None
    detail: str = ""


def send(
    plan: OrderPlan,
    *,
    broker: Broker,
    ledger: Ledger,
    last_check: Callable[[], Refusal | None],
    leverage_set: bool,
    now: datetime,
) -> SendResult:
    """Send the order of a claimed plan; recorded before this returns.

    An order is only ever sent again, under a new id, when the exchange confirmed that the last one was
    refused and may be tried again. The symbol stays locked whatever happens: following it lets go.
    """
    order = TrackedOrder.of(plan)
    if not leverage_set:
        fault = _leverage_fault(broker, plan)
        if fault:
            return _recorded(_denied(order, Reason.LEVERAGE_NOT_SET, fault), ledger, now)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            return _recorded(_submitted(plan, order, broker, last_check), ledger, now)
        except BrokerRejected as error:
            rejected = SendResult(replace(order, status=OrderStatus.REJECTED), None, str(error))
            if not error.try_again:
                return _recorded(rejected, ledger, now)
        if attempt < MAX_ATTEMPTS:
            order = TrackedOrder.of(plan, attempt)
            again = events.OrderSubmitted(symbol=plan.symbol, at=now, order=order)
            # In one transaction: a symbol without a living order would be released in between.
            ledger.record([*_events(rejected, now), again])
    return _recorded(replace(rejected, reason=Reason.ALL_ATTEMPTS_FAILED), ledger, now)


def _leverage_fault(broker: Broker, plan: OrderPlan) -> str:
    try:
        broker.set_leverage(plan.symbol, plan.leverage)
    except (BrokerRejected, BrokerUnknown, BrokerUnavailable) as error:
        return str(error)
    return ""


def _submitted(
    plan: OrderPlan, order: TrackedOrder, broker: Broker, last_check: Callable[[], Refusal | None]
) -> SendResult:
    """One attempt. BrokerRejected goes through."""

    def before_sending() -> None:
        refusal = last_check()
        if refusal is not None:
            raise SendRefused(refusal)

    try:
        exchange_order_id = broker.submit(plan.request(order.client_order_id), before_sending)
    except SendRefused as error:
        return _denied(order, error.refusal.reason, str(error))
    except BrokerRateLimited as error:
        return _denied(order, Reason.RATE_LIMITED, str(error))
    except BrokerUnavailable as error:
        return _denied(order, Reason.VENUE_UNREACHABLE, str(error))
    except BrokerUnknown as error:
        return SendResult(replace(order, status=OrderStatus.UNKNOWN), None, str(error))
    return SendResult(replace(order, status=OrderStatus.SUBMITTED, exchange_order_id=exchange_order_id))


def _denied(order: TrackedOrder, reason: Reason, detail: str) -> SendResult:
    return SendResult(replace(order, status=OrderStatus.DENIED), reason, detail)


def _recorded(sent: SendResult, ledger: Ledger, now: datetime) -> SendResult:
    ledger.record(_events(sent, now))
    return sent


def _events(sent: SendResult, now: datetime) -> list[events.Event]:
    order, symbol, detail = sent.order, sent.order.symbol, sent.detail
    if order.status == OrderStatus.DENIED and sent.reason is not None:
        return [events.OrderDenied(symbol=symbol, at=now, order=order, detail=detail, reason=sent.reason)]
    if order.status == OrderStatus.REJECTED:
        return [events.OrderRejected(symbol=symbol, at=now, order=order, detail=detail)]
    kind = events.OrderUnknown if order.status == OrderStatus.UNKNOWN else events.OrderAcknowledged
    pause = cooldown_event(symbol, order.decision_key, now, COOLDOWN, "submitted")
    return [kind(symbol=symbol, at=now, order=order, detail=detail), pause]


def follow(
    book: SymbolBook,
    seen: SymbolSeen,
    contract: Contract,
    *,
    constraints: VenueConstraints,
    off: Mapping[str, str],
    now: datetime,
) -> FollowResult:
    """What `seen` means for `book`, and what must be done: a pure decision, safe to repeat.

    `off` maps the switches that are off to their reasons: they take back resting entries, never protection.
    """
    return follow_symbol(book, seen, contract, constraints, off, now)


def perform(
    action: CancelOrder | Protect | Unprotect | Close, *, broker: Broker, now: datetime
) -> tuple[events.CallFailed, ...]:
    """Do it at the exchange. That it worked is read back later; a fault is only told: it comes up again."""
    try:
        _call(action, broker)
    except (BrokerRejected, BrokerUnknown, BrokerUnavailable) as error:
        call = type(action).__name__
        return (events.CallFailed(symbol=_symbol(action), at=now, call=call, detail=str(error)),)
    return ()


def _call(action: CancelOrder | Protect | Unprotect | Close, broker: Broker) -> None:
    match action:
        case CancelOrder(symbol, client_order_id):
            broker.cancel(symbol, client_order_id)
        case Protect(symbol, side, kind, trigger_price, client_order_id):
            broker.protect(symbol, side, kind, trigger_price, client_order_id)
        case Unprotect(symbol, exchange_order_id):
            broker.unprotect(symbol, exchange_order_id)
        case Close(request):
            broker.submit(request)


def _symbol(action: CancelOrder | Protect | Unprotect | Close) -> str:
    return action.request.symbol if isinstance(action, Close) else action.symbol


def evaluate(frames: Frames, profiles: Sequence[Profile], *, at: datetime) -> tuple[MinuteJudgement, ...]:
    """Judge every symbol by every profile, one Judgement a profile, in their order.

    Each frame's last row is the timeframe's newest candle that closed at or before `at`. LookupError when the
    frames lack a timeframe or column that a profile reads.
    """
    return tuple(minute_judgement(frames, profile, at) for profile in profiles)


def replay(frames: Frames, profile: Profile, closes_ms: Ints) -> PastJudgement:
    """Judge the one symbol of `frames` at each of `closes_ms` (Unix ms): what `evaluate` said then.

    `frames` are those of `apps.engine.indicators.history` over the stretch and its warm-up, with at least
    `profile.columns`. LookupError when they lack a timeframe or column that the profile reads; ValueError
    when they hold several symbols, or a moment lies outside of one of them.
    """
    return judge_history(frames, profile, closes_ms)
