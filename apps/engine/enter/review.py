"""Whether a plan made again after a person's approval is still what was approved."""

from __future__ import annotations

from apps.engine.values.plan import OrderPlan
from apps.engine.values.reason import Reason, Refusal
from apps.engine.values.side import Side


def worse(approved: OrderPlan, fresh: OrderPlan) -> Refusal | None:
    """Refused when the decision is another, the stop lies farther out, or more money is at risk."""
    further = approved.stop - fresh.stop if approved.side == Side.LONG else fresh.stop - approved.stop
    if (
        fresh.decision_key == approved.decision_key
        and further <= 0
        and fresh.sizing.risk <= approved.sizing.risk
    ):
        return None
    numbers = {
        "decision_key": fresh.decision_key,
        "approved_stop": approved.stop,
        "stop": fresh.stop,
        "approved_risk": approved.sizing.risk,
        "risk": fresh.sizing.risk,
    }
    return Refusal(Reason.PRICE_MOVED, numbers)
