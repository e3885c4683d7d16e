"""The orders room's door. Every call names its account, and nothing here sends anything."""

from apps.orders.book import active_symbols, book, symbols_missing_fills
from apps.orders.claims import NotClean, account_limits, account_lock, claim, is_approved, lock_for_update
from apps.orders.exposure import AccountExposure, account_exposure
from apps.orders.money import newest_transaction_at, save_equity, save_transactions
from apps.orders.protections import sync_protections
from apps.orders.record import record_event
from apps.orders.result import (
    ClosedPosition,
    positions_without_excursion,
    save_excursion,
    save_missing_results,
)
from apps.orders.review import ApprovedPlan, NotWaiting, approve, approved_plans, expire_reviews, reject
from apps.orders.values import round_report

__all__ = [
    "AccountExposure",
    "ApprovedPlan",
    "ClosedPosition",
    "NotClean",
    "NotWaiting",
    "account_exposure",
    "account_limits",
    "account_lock",
    "active_symbols",
    "approve",
    "approved_plans",
    "book",
    "claim",
    "expire_reviews",
    "is_approved",
    "lock_for_update",
    "newest_transaction_at",
    "positions_without_excursion",
    "record_event",
    "reject",
    "round_report",
    "save_equity",
    "save_excursion",
    "save_missing_results",
    "save_transactions",
    "symbols_missing_fills",
    "sync_protections",
]
