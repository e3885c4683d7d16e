"""What following asks for, done at the exchange."""

from __future__ import annotations

from datetime import datetime

from apps.engine import events
from apps.engine.follow.action import Action, CancelOrder, Close, Protect, Unprotect
from apps.engine.ports.account import Broker, BrokerRejected, BrokerUnavailable, BrokerUnknown


def perform(action: Action, *, broker: Broker, now: datetime) -> tuple[events.CallFailed, ...]:
    """Do it at the exchange. That it worked is read back later; a fault is only told: it comes up again."""
    try:
        match action:
            case CancelOrder(symbol, client_order_id):
                broker.cancel(symbol, client_order_id)
            case Protect(symbol, side, kind, trigger_price, client_order_id, size):
                broker.protect(symbol, side, kind, trigger_price, client_order_id, size)
            case Unprotect(symbol, exchange_order_id):
                broker.unprotect(symbol, exchange_order_id)
            case Close(request):
                symbol = request.symbol
                broker.submit(request)
    except (BrokerRejected, BrokerUnknown, BrokerUnavailable) as error:
        call = type(action).__name__
        return (events.CallFailed(symbol=symbol, at=now, call=call, detail=str(error)),)
    return ()
