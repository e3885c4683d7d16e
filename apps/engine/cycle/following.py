"""The watching step: decide what was read back of one symbol, and do it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from apps.engine import events
from apps.engine.follow.actions import CancelOrder, Close, Protect, Unprotect
from apps.engine.follow.symbol import Followed, follow_symbol
from apps.engine.ports import Broker, BrokerRejected, BrokerUnavailable, BrokerUnknown
from apps.engine.values.book import SymbolBook, SymbolSeen
from apps.engine.values.contract import Contract
from apps.engine.values.venue import VenueConstraints


def follow(
    book: SymbolBook,
    seen: SymbolSeen,
    contract: Contract,
    *,
    constraints: VenueConstraints,
    off: Mapping[str, str],
    now: datetime,
) -> Followed:
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
