"""What the account holds, is worth and earned today, by our books."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

from django.db.models import Sum
from pydantic_core import to_jsonable_python

from apps.engine.follow.orders import LIVE
from apps.orders.models import EquityPoint, ExchangeOrder, Position, RiskDay

POSITION = (
    *("id", "symbol", "side", "status", "size", "entry_price", "stop_price", "target_price"),
    *("mark_price", "unrealised_usdt", "marked_at", "profile", "opened_at", "protected_at", "decision_key"),
)
CLOSED = (
    *("id", "symbol", "side", "profile", "entry_price", "exit_price", "realised_usdt", "r_multiple"),
    *("best_price", "worst_price", "mfe_pct", "mae_pct", "mfe_r", "mae_r"),
    *("opened_at", "closed_at", "close_reason", "decision_key"),
)
SHOWN = 10
"""Closed positions that are shown."""
RESTING = (
    *("id", "symbol", "side", "status", "size", "filled", "price", "profile", "sent_at", "expires_at"),
    *("tranche", "tranches"),
)


@dataclass(frozen=True)
class Holdings:
    """Money in settle currency. `equity` None: never read; `realised_today` net of fees, of the UTC day.

    `unrealised` of all open positions, as the exchange told them at `marked_at` of each; None when it did not
    tell one of them. `closed`: the last positions that ended; what of them is not known is None.
    """

    positions: list[dict[str, Any]]
    closed: list[dict[str, Any]]
    resting: list[dict[str, Any]]
    equity: Decimal | None
    equity_at: datetime | None
    unrealised: Decimal | None
    realised_today: Decimal
    trades_today: int

    def to_json(self) -> dict[str, Any]:
        return cast("dict[str, Any]", to_jsonable_python(asdict(self)))


def holdings(account: str) -> Holdings:
    """Return open positions, the last closed ones and live entries, the newest first."""
    positions = Position.objects.filter(account=account, closed_at=None).order_by("-opened_at")
    held = list(positions.values(*POSITION))
    results = [row["unrealised_usdt"] for row in held]
    closed = Position.objects.filter(account=account, closed_at__isnull=False).order_by("-closed_at", "-id")
    entries = ExchangeOrder.objects.filter(account=account, status__in=LIVE)
    worth = EquityPoint.objects.filter(account=account).order_by("at").last()
    days = RiskDay.objects.filter(account=account, day=datetime.now(UTC).date())
    today = days.aggregate(realised=Sum("realised_usdt"), trades=Sum("trades"))
    return Holdings(
        positions=held,
        closed=[
            {**row, "held_s": (row["closed_at"] - row["opened_at"]).total_seconds()}
            for row in closed.values(*CLOSED)[:SHOWN]
        ],
        resting=list(entries.order_by("-sent_at").values(*RESTING)),
        equity=None if worth is None else worth.equity,
        equity_at=None if worth is None else worth.at,
        unrealised=None if None in results else sum(results, Decimal(0)),
        realised_today=today["realised"] or Decimal(0),
        trades_today=today["trades"] or 0,
    )
