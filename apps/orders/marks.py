"""What open positions are worth now: written beside them for people, and read by nothing that trades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from apps.db.bookkeeping import bookkeeping
from apps.engine.values.position import PositionReport, Side
from apps.orders.models import Position
from apps.orders.values import round_to_column

WRITTEN_EACH = timedelta(seconds=5)
NOTICEABLE_RATIO = Decimal("0.001")
"""A mark that moved by so much since it was written is written at once."""


@dataclass(frozen=True, slots=True)
class _Written:
    at: datetime
    mark_price: Decimal | None


class PositionMarks:
    """Writes them for one account, each when it is old or noticeably another, and remembers what it wrote."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._written: dict[tuple[str, Side], _Written] = {}

    def save(self, reports: Sequence[PositionReport], now: datetime) -> None:
        """Store mark price and unrealised result of open positions as read about `now`.

        `updated_at` stays: it says which reads of the exchange are too old for our own last change, and this
        is none. What cannot be written is logged and tried again with the next read.
        """
        shown = {(report.symbol, report.side): report for report in reports}
        due = {key: report for key, report in shown.items() if self._is_due(report, now)}
        self._written = {key: written for key, written in self._written.items() if key in shown}
        if not due:
            return
        with bookkeeping("position_marks", symbols=sorted({symbol for symbol, _ in due})) as attempt:
            positions = Position.objects.for_account(self._account).open()
            for (symbol, side), report in due.items():
                positions.filter(symbol=symbol, side=side).update(
                    mark_price=round_to_column(Position, "mark_price", report.mark_price),
                    unrealised_usdt=round_to_column(Position, "unrealised_usdt", report.unrealised),
                    marked_at=now,
                )
        if attempt.fault is None:
            self._written |= {key: _Written(now, report.mark_price) for key, report in due.items()}

    def _is_due(self, report: PositionReport, now: datetime) -> bool:
        written = self._written.get((report.symbol, report.side))
        if written is None or abs(now - written.at) >= WRITTEN_EACH:
            return True
        if written.mark_price is None or report.mark_price is None:
            return written.mark_price is not report.mark_price
        return abs(report.mark_price - written.mark_price) > written.mark_price * NOTICEABLE_RATIO
