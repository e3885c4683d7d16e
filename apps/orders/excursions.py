"""MFE and MAE of closed positions: which ones are still to be measured, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Max, Min, Q
from django.db.models.functions import Coalesce

from apps.engine.follow.excursion import Excursion
from apps.engine.values.position import Side
from apps.orders.models import Position

COLUMNS = {
    "best": "best_price",
    "worst": "worst_price",
    **{name: name for name in ("mfe_pct", "mae_pct", "mfe_r", "mae_r")},
}
"""What an excursion's value and a position's column call it."""


@dataclass(frozen=True, slots=True)
class ClosedPosition:
    """A closed position, from its first opening to its last closing trade. `stop` as planned."""

    position_id: int
    symbol: str
    side: Side
    entry: Decimal
    stop: Decimal | None
    began: datetime
    ended: datetime


def positions_without_excursion(account: str, *, closed_since: datetime) -> list[ClosedPosition]:
    """Positions closed since then without an excursion, the newest first."""
    rows = Position.objects.filter(
        account=account, closed_at__gte=closed_since, best_price=None, entry_price__gt=0
    )
    spans = rows.annotate(
        began=Coalesce(Min("fills__at", filter=Q(fills__opens=True)), "opened_at"),
        ended=Coalesce(Max("fills__at", filter=Q(fills__opens=False)), "closed_at"),
    )
    wanted = ("pk", "symbol", "side", "entry_price", "plan__stop_price", "began", "ended")
    return [
        ClosedPosition(key, symbol, Side(side), entry, stop, began, ended)
        for key, symbol, side, entry, stop, began, ended in spans.order_by("-closed_at").values_list(*wanted)
    ]


@transaction.atomic
def save_excursion(position_id: int, found: Excursion) -> None:
    """Write down what was found."""
    values = {column: getattr(found, name) for name, column in COLUMNS.items()}
    Position.objects.filter(pk=position_id).update(**values)


def clear_excursion(position: Position) -> None:
    """It is reckoned again, perhaps over another time: unmeasured until the next look. Not saved here."""
    for column in COLUMNS.values():
        setattr(position, column, None)
