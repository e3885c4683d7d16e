"""Closing on a person's word: what may be asked for, and what is asked for and not done yet."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from django.db import IntegrityError, transaction

from apps.engine.values.book import CloseRequest as Request
from apps.engine.values.errors import TradingError, suggestion
from apps.engine.values.position import Side
from apps.orders.models import CloseRequest, ExchangeOrder, Position


class CloseUnsigned(TradingError):
    """A close without a reason or an author; not retryable."""


class NothingToClose(TradingError):
    """What was named is flat, and no entry of ours rests there; not retryable."""


class NotOurs(TradingError):
    """All that is held there was opened by somebody else, and that was not asked for; not retryable so."""


class AlreadyAsked(TradingError):
    """It was asked for before and is being closed; not retryable until that is done."""


def request_close(
    account: str,
    symbol: str,
    *,
    side: Side | None = None,
    foreign: bool = False,
    reason: str,
    actor: str,
    now: datetime,
) -> list[CloseRequest]:
    """Ask the watch process to close `symbol`, one side or both; return a row for each.

    What we did not open is closed only with `foreign`. A trigger of the audit room records who did it. Raises
    NothingToClose, NotOurs, CloseUnsigned or AlreadyAsked, and then asks for nothing.
    """
    sides = _sides(account, foreign=True)
    named = {each for each in sides if each[0] == symbol and side in (None, each[1])}
    where = symbol if side is None else f"{symbol} {side}"
    if not named:
        nearest = suggestion(symbol, {name for name, _ in sides} - {symbol})
        raise NothingToClose(f"{where} is flat: no position is open there and no entry rests{nearest}")
    meant = named & _sides(account, foreign=foreign)
    if not meant:
        raise NotOurs(f"{where} was not opened by us: it is closed only if that is asked for (foreign)")
    requests = _ask(account, meant, foreign=foreign, reason=reason, actor=actor, now=now)
    if not requests:
        raise AlreadyAsked(f"closing {where} was asked for already, and is going on")
    return requests


def request_close_all(
    account: str, *, foreign: bool = False, reason: str, actor: str, now: datetime
) -> list[CloseRequest]:
    """Ask for everything that is held or rests; return the new rows: what is being closed has one already.

    Raises CloseUnsigned.
    """
    meant = _sides(account, foreign=foreign)
    return _ask(account, meant, foreign=foreign, reason=reason, actor=actor, now=now)


def open_requests(account: str) -> dict[str, tuple[Request, ...]]:
    """Return symbol → what is asked for there and not done."""
    requests: defaultdict[str, list[Request]] = defaultdict(list)
    for row in CloseRequest.objects.for_account(account).open().order_by("id"):
        requests[row.symbol].append(Request(Side(row.side), row.asked_by, row.reason, row.foreign))
    return {symbol: tuple(rows) for symbol, rows in requests.items()}


def end_request(account: str, symbol: str, side: Side, *, outcome: str, now: datetime) -> None:
    """Note the open request of that side as done; it may be none."""
    requests = CloseRequest.objects.for_account(account).open()
    requests.filter(symbol=symbol, side=side).update(done_at=now, outcome=outcome)


def _sides(account: str, *, foreign: bool) -> set[tuple[str, Side]]:
    """Return symbol and side of what is held, ours or anybody's, and of what may still fill."""
    positions = Position.objects.for_account(account).open()
    held = positions if foreign else positions.ours()
    rows = (held, ExchangeOrder.objects.for_account(account).open())
    return {(symbol, Side(side)) for each in rows for symbol, side in each.values_list("symbol", "side")}


def _ask(
    account: str, sides: set[tuple[str, Side]], *, foreign: bool, reason: str, actor: str, now: datetime
) -> list[CloseRequest]:
    """Store a row for each side that has none yet."""
    if not reason.strip() or not actor.strip():
        raise CloseUnsigned("a close needs a reason and an author")
    rows = []
    for symbol, side in sorted(sides):
        row = CloseRequest(
            account=account,
            symbol=symbol,
            side=side,
            foreign=foreign,
            reason=reason.strip(),
            asked_by=actor.strip(),
            asked_at=now,
        )
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError as fault:
            if getattr(getattr(fault.__cause__, "diag", None), "constraint_name", "") != "close_request_open":
                raise
        else:
            rows.append(row)
    return rows
