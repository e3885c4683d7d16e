"""The dead man's switch: the exchange takes our resting entries back by itself should we fall silent."""

from __future__ import annotations

from datetime import datetime, timedelta

from apps.engine.follow.orders import LIVE
from apps.engine.follow.reconcile import OWN_ID_PREFIX
from apps.engine.values.book import ExchangeBook, SymbolBook
from apps.engine.values.order import OrderStatus

TIMEOUT_S = 60
"""It fires so long after the last renewal."""
RENEWED_AFTER = timedelta(seconds=25)
"""Two renewals may fail before it fires."""
MAY_FIRE_FOR = timedelta(seconds=TIMEOUT_S) + RENEWED_AFTER
"""One that may have been armed at any time until now counts as due for its renewal, and fires no later."""


def dead_man_timeout_s(
    book: SymbolBook, seen: ExchangeBook, armed_at: datetime | None, now: datetime
) -> int | None:
    """Return the timeout that must be set on the symbol now, 0 to disarm it; None where nothing is due.

    `armed_at`: when it was armed or renewed last, None while it is not. It takes every limit order of the
    symbol: where one rests that is not ours it stays off. While the open orders are not known nothing is
    renewed: what then ends without need is an entry, not a position.
    """
    if seen.orders_at is None:
        return None
    rests = any(order.status in LIVE and order.status != OrderStatus.SUBMITTING for order in book.orders)
    of_others = any(not report.client_order_id.startswith(OWN_ID_PREFIX) for report in seen.orders)
    if rests and not of_others:
        is_due = armed_at is None or now - armed_at >= RENEWED_AFTER
        return TIMEOUT_S if is_due else None
    is_armed = armed_at is not None and now - armed_at < MAY_FIRE_FOR
    return 0 if is_armed else None
