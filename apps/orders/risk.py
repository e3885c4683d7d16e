"""What the guards over the account look back on: the day's losses, equity's peak, stop losses in a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from apps.engine.values.account import DRAWDOWN_WINDOW, STREAK_WINDOW
from apps.engine.values.errors import TradingError
from apps.orders.models import DailyLossReset, Position, PositionQuerySet

TRANSFER_MARGIN = timedelta(minutes=1)
"""A point so near a transfer may have been read before or after it: it is left out.

Points are stamped by our clock when their pass begins, transfers by the exchange's. A deposit counted twice
would be a peak that nobody had, for 30 days.
"""

_PEAK = """
WITH transfer AS (
    SELECT at, amount FROM account_transaction
    WHERE account = %(account)s AND kind = 'transfer' AND at > %(since)s
), span AS (
    SELECT coalesce(lag(at) OVER (ORDER BY at) + make_interval(secs => %(margin_s)s), %(since)s) AS begins,
           at - make_interval(secs => %(margin_s)s) AS ends,
           sum(amount) OVER (ORDER BY at DESC) AS moved
    FROM transfer
    UNION ALL
    SELECT coalesce(max(at) + make_interval(secs => %(margin_s)s), %(since)s), 'infinity', 0 FROM transfer
)
SELECT max(point.equity + span.moved) FROM span CROSS JOIN LATERAL (
    SELECT max(equity) AS equity FROM equity_point
    WHERE account = %(account)s AND at >= begins AND at < ends
) AS point
"""
"""The highest point between any two transfers, moved by all that came later.

A month of points, one a minute, takes 6 ms by their unique index; one that holds equity too saves nothing.
"""

_NEVER = Value(datetime(1970, 1, 1, tzinfo=UTC))
_LOSS = Q(realised_usdt__lt=0) | Q(exit_price=None)
_WIN = Q(realised_usdt__gt=0)


class ResetUnsigned(TradingError):
    """A reset without a reason or an author; not retryable."""


@dataclass(frozen=True, slots=True)
class AccountRisk:
    """As AccountState says; `symbol_streaks` holds the symbols asked for that have one."""

    peak_equity: Decimal | None
    account_streak: tuple[datetime, ...]
    symbol_streaks: Mapping[str, tuple[datetime, ...]]


def account_risk(account: str, symbols: Sequence[str], now: datetime) -> AccountRisk:
    """Return what drawdown and streaks are judged by at `now`.

    A closed position whose result is not reckoned yet counts as a stop loss: what is in doubt is no win. Of
    positions that closed at one moment a win counts as the last.
    """
    counted = _closed_since_reset(account)
    wins = counted.filter(_WIN).order_by("-closed_at").values("closed_at")[:1]
    losses = counted.filter(_LOSS, closed_at__gt=Coalesce(Subquery(wins), _NEVER)).order_by("closed_at")

    recent = counted.filter(_LOSS | _WIN, symbol__in=list(symbols), closed_at__gt=now - 2 * STREAK_WINDOW)
    streaks: dict[str, tuple[datetime, ...]] = {}
    columns = ("symbol", "closed_at", "realised_usdt")
    for symbol, closed_at, realised in recent.order_by("closed_at", "id").values_list(*columns):
        streaks[symbol] = () if realised > 0 else (*streaks.get(symbol, ()), closed_at)
    return AccountRisk(
        peak_equity=_peak_equity(account, now),
        account_streak=tuple(at for at in losses.values_list("closed_at", flat=True) if at is not None),
        symbol_streaks=streaks,
    )


def lost_today(account: str, now: datetime) -> dict[str, Decimal]:
    """Return profile → realised loss of the UTC day of `now`, or of its part after the last reset.

    A position whose trades have not all come counts as lost at its stop until they have.
    """
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    today = _closed_since_reset(account).filter(
        closed_at__gte=midnight, closed_at__lt=midnight + timedelta(days=1)
    )
    sums = today.values("profile").annotate(realised=Sum("realised_usdt")).order_by("profile")
    lost = {profile: -realised for profile, realised in sums.values_list("profile", "realised")}
    unknown = today.filter(risk_usdt__gt=0).missing_fills()
    for profile, risk in unknown.values_list("profile", "risk_usdt"):
        lost[profile] = lost.get(profile, Decimal(0)) + (risk or 0)
    return lost


def reset_daily_loss(account: str, *, reason: str, actor: str, now: datetime) -> DailyLossReset:
    """From `now` on, count neither the losses nor the streaks before it; return the row as stored.

    The peak of equity stays. A trigger of the audit room records who did it. Raises ResetUnsigned.
    """
    if not reason.strip() or not actor.strip():
        raise ResetUnsigned("a reset of the daily loss needs a reason and an author")
    return DailyLossReset.objects.create(account=account, at=now, reason=reason.strip(), reset_by=actor)


def _closed_since_reset(account: str) -> PositionQuerySet:
    """Return the positions that closed after the last reset: all of them when there was none."""
    closed = Position.objects.for_account(account)
    resets = DailyLossReset.objects.filter(account=account).order_by("-at").values("at")[:1]
    return closed.filter(closed_at__gt=Coalesce(Subquery(resets), _NEVER))


def _peak_equity(account: str, now: datetime) -> Decimal | None:
    with connection.cursor() as cursor:
        since, margin_s = now - DRAWDOWN_WINDOW, TRANSFER_MARGIN.total_seconds()
        cursor.execute(_PEAK, {"account": account, "since": since, "margin_s": margin_s})
        [[peak]] = cursor.fetchall()
    return None if peak is None else Decimal(peak)
