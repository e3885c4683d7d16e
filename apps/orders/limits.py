"""The limits over all profiles, as set: what live claims by and a backtest trades by."""

from __future__ import annotations

from django.conf import settings

from apps.engine.values.account import AccountLimits


def account_limits() -> AccountLimits:
    return AccountLimits(
        daily_loss_pct=settings.MTF_ACCOUNT_DAILY_LOSS_PCT,
        total_notional_ratio=settings.MTF_ACCOUNT_TOTAL_NOTIONAL_RATIO,
        direction_notional_ratio=settings.MTF_ACCOUNT_DIRECTION_NOTIONAL_RATIO,
        max_positions=settings.MTF_ACCOUNT_MAX_POSITIONS,
    )
