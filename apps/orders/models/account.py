"""The money: the exchange's own ledger, equity over time, each day's result, and what people reset of it."""

from __future__ import annotations

from django.db import models
from django.db.models import F

from apps.db.enum import EnumField
from apps.engine.values.position import TransactionKind


class AccountTransaction(models.Model):
    """One line of the exchange's ledger, once; `amount` signed. An id alone is not unique at BitMart."""

    account = models.TextField()
    transaction_id = models.TextField()
    kind = EnumField(type_name="transaction_kind", enum=TransactionKind)
    amount = models.DecimalField(max_digits=28, decimal_places=12)
    symbol = models.TextField(blank=True, default="", help_text="empty for transfers")
    at = models.DateTimeField()

    class Meta:
        db_table = "account_transaction"
        constraints = [
            models.UniqueConstraint(
                name="account_transaction_id", fields=["account", "kind", "symbol", "transaction_id"]
            )
        ]
        indexes = [
            models.Index(name="account_transaction_at", fields=["account", "-at"]),
            models.Index(name="account_transaction_symbol", fields=["account", "symbol", "kind", "at"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount.normalize():f} {self.symbol}"


class EquityPoint(models.Model):
    """What the account was worth at a moment; equity = available + frozen + position margin + unrealised."""

    account = models.TextField()
    at = models.DateTimeField()
    available = models.DecimalField(max_digits=28, decimal_places=12)
    frozen = models.DecimalField(max_digits=28, decimal_places=12)
    position_margin = models.DecimalField(max_digits=28, decimal_places=12)
    unrealised = models.DecimalField(max_digits=28, decimal_places=12)
    equity = models.DecimalField(max_digits=28, decimal_places=12)

    class Meta:
        db_table = "equity_point"
        constraints = [
            models.UniqueConstraint(name="equity_point_at", fields=["account", "at"]),
            models.CheckConstraint(
                name="equity_point_sum",
                condition=models.Q(
                    equity=F("available") + F("frozen") + F("position_margin") + F("unrealised")
                ),
            ),
        ]
        indexes = [models.Index(name="equity_point_newest", fields=["-at"])]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.equity.normalize():f}"


class RiskDay(models.Model):
    """One profile's closed trades of a UTC day, net of fees and funding; a trade counts when it ends."""

    account = models.TextField()
    profile = models.TextField(blank=True, default="", help_text="empty for what we did not open")
    day = models.DateField()
    trades = models.PositiveIntegerField(default=0)
    wins = models.PositiveIntegerField(default=0)
    realised_usdt = models.DecimalField(max_digits=28, decimal_places=12, default=0)
    fees_usdt = models.DecimalField(max_digits=28, decimal_places=12, default=0)
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "risk_day"
        constraints = [
            models.UniqueConstraint(name="risk_day_key", fields=["account", "profile", "day"]),
            models.CheckConstraint(name="risk_day_wins", condition=models.Q(wins__lte=F("trades"))),
        ]
        indexes = [models.Index(name="risk_day_newest", fields=["-day"])]

    def __str__(self) -> str:
        return f"{self.profile} {self.day}"


class DailyLossReset(models.Model):
    """From `at` on, losses and streaks of positions that closed before it count in no guard."""

    account = models.TextField()
    at = models.DateTimeField()
    reason = models.TextField()
    reset_by = models.TextField()

    class Meta:
        db_table = "daily_loss_reset"
        constraints = [
            models.UniqueConstraint(name="daily_loss_reset_at", fields=["account", "at"]),
            models.CheckConstraint(
                name="daily_loss_reset_signed", condition=~models.Q(reason="") & ~models.Q(reset_by="")
            ),
        ]
        indexes = [models.Index(name="daily_loss_reset_newest", fields=["-at"])]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} by {self.reset_by}"
