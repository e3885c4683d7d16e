"""The account's money."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateFilter

from apps.admin_base.cell import number, plain_fields
from apps.admin_base.table import BigTableAdmin, ExactFilter, ReadOnlyAdmin, TimeRangeFilter, UncountedAdmin
from apps.orders.models import AccountTransaction, EquityPoint, RiskDay


@admin.register(AccountTransaction)
class AccountTransactionAdmin(BigTableAdmin):
    list_display = ("at", "kind", number("amount"), "symbol", "transaction_id", "account")
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        ("account", ExactFilter),
        ("at", TimeRangeFilter),
    )
    ordering = ("-at", "-id")
    fields = readonly_fields = plain_fields(AccountTransaction)


@admin.register(EquityPoint)
class EquityPointAdmin(UncountedAdmin):
    list_display = (
        "at",
        number("equity"),
        number("available"),
        number("frozen"),
        number("position_margin"),
        number("unrealised"),
        "account",
    )
    list_filter = (("account", ExactFilter), ("at", TimeRangeFilter))
    ordering = ("-at", "-id")
    fields = readonly_fields = plain_fields(EquityPoint)


@admin.register(RiskDay)
class RiskDayAdmin(ReadOnlyAdmin):
    list_display = (
        "day",
        "profile",
        "trades",
        "wins",
        number("realised_usdt", "realised USDT"),
        number("fees_usdt", "fees USDT"),
        "account",
    )
    list_filter = (("account", ExactFilter), ("profile", ExactFilter), ("day", RangeDateFilter))
    ordering = ("-day", "profile")
    fields = readonly_fields = plain_fields(RiskDay)
