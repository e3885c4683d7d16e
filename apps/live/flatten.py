"""Out of everything: nothing opens any more, and what is open is closed."""

from __future__ import annotations

from datetime import datetime

from apps.orders import store as orders
from apps.orders.models import CloseRequest
from apps.switches import store as switches


def flatten(
    account: str, *, foreign: bool = False, reason: str, actor: str, now: datetime
) -> list[CloseRequest]:
    """Switch GLOBAL off until a person turns it on, then ask the watch process to close all that is open.

    Return the new requests; what is being closed already has its own. What we did not open is closed only
    with `foreign`. Not one transaction: an entry that read the switch before it went off has its order's row
    by then, and one that reads it later is not sent. Raises ReasonMissing, and has done nothing then.
    """
    switches.set_switch(switches.GLOBAL, is_on=False, reason=reason, actor=actor)
    return orders.request_close_all(account, foreign=foreign, reason=reason, actor=actor, now=now)
