"""Which symbols must be looked at again within a second, whoever drives the following."""

from __future__ import annotations

from apps.engine.follow.orders import IN_DOUBT
from apps.engine.values.book import SymbolBook
from apps.engine.values.position import PositionStatus

LOOK_UPS_SOON = 2
"""An order in doubt is looked up 1 and 3 s after it was sent; later ones can wait for a sweep."""


def needs_care(book: SymbolBook) -> bool:
    """Whether a position is unprotected or ending, or an order was sent a moment ago and not seen yet."""
    for position in book.positions:
        if position.flat_since is not None:
            return True
        if position.status not in (PositionStatus.PROTECTED, PositionStatus.FOREIGN):
            return True
    return any(one.status in IN_DOUBT and one.looked_up < LOOK_UPS_SOON for one in book.orders)
