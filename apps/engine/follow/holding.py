"""What the trades say is held: the evidence that no list of positions outweighs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.engine.values.book import ExchangeBook
from apps.engine.values.order import Fill
from apps.engine.values.position import Side


@dataclass(frozen=True, slots=True)
class Holding:
    """One side by its trades: `size` ≥ 0 in contracts, and the orders that opened it since it was last flat.

    `traded_at`: the last trade on the side, None when there is none.
    """

    size: Decimal
    opened_by: frozenset[str]
    traded_at: datetime | None


def holding(seen: ExchangeBook, side: Side, since: datetime) -> Holding | None:
    """Return what the trades say of `side`; None where they are not known from `since` on.

    Trades of before that began in the middle: closing more than was opened is flat, not less than flat.
    """
    if seen.fills_at is None or seen.fills_since is None or seen.fills_since > since:
        return None
    return _held(fill for fill in seen.fills if fill.side == side)


def _held(fills: Iterable[Fill]) -> Holding:
    size, opened_by, traded_at = Decimal(0), frozenset[str](), None
    # of one moment the opening trades first: what is closed was open
    for fill in sorted(fills, key=lambda fill: (fill.at, not fill.opens)):
        traded_at = fill.at
        if fill.opens:
            size, opened_by = size + fill.size, opened_by | {fill.exchange_order_id}
        else:
            size = max(size - fill.size, Decimal(0))
        if not size:
            opened_by = frozenset()
    return Holding(size, opened_by, traded_at)
