"""What a person wants closed: sliced as in an emergency, until nothing is held or rests on the side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from apps.engine import events
from apps.engine.follow.orders import LIVE
from apps.engine.follow.protection import Step, close_step
from apps.engine.values.book import CloseRequest, ExchangeBook, SymbolBook, TrackedPosition
from apps.engine.values.contract import Contract
from apps.engine.values.position import PositionReport, PositionStatus


def covers(request: CloseRequest, position: TrackedPosition) -> bool:
    """Whether `position`, on the request's side, is meant: what is not ours only when it is asked for."""
    return request.foreign or position.status != PositionStatus.FOREIGN


def requested_close_step(
    request: CloseRequest,
    position: TrackedPosition,
    report: PositionReport,
    contract: Contract | None,
    now: datetime,
) -> Step:
    """Close what was just read of `position`; one of somebody else stays FOREIGN meanwhile."""
    if position.status != PositionStatus.FOREIGN:
        position = replace(position, status=PositionStatus.CLOSING)
    return close_step(position, report, contract, now, request)


def request_events(book: SymbolBook, seen: ExchangeBook, now: datetime) -> Iterator[events.CloseRequestDone]:
    """Yield requests that are over: nothing is held or may still fill on their side, or only what they do not
    mean."""
    held = {position.side: position for position in book.positions}
    may_fill = {order.side for order in book.orders if order.status in LIVE}
    for request in book.close_requests:
        position = held.get(request.side)
        if position is not None:
            is_over, how = not covers(request, position), "what is held is not ours"
        else:
            shown = {report.side for report in seen.positions}
            is_over, how = seen.positions_at is not None and request.side not in shown, "flat"
        if is_over and request.side not in may_fill:
            yield events.CloseRequestDone(symbol=book.symbol, at=now, side=request.side, detail=how)
