"""The orders room's door. Every call names its account, and nothing here sends anything."""

from apps.orders.book import (
    WaitingRest,
    active_symbols,
    book,
    books,
    orders_by_id,
    symbols_entered_since,
    symbols_missing_fills,
    waiting_rests,
)
from apps.orders.claims import (
    NotClean,
    account_limits,
    account_lock,
    claim,
    claim_rest,
    is_approved,
    lock_for_update,
    took_another,
)
from apps.orders.close_request import (
    AlreadyAsked,
    CloseUnsigned,
    NothingToClose,
    NotOurs,
    open_requests,
    request_close,
    request_close_all,
)
from apps.orders.exposure import AccountExposure, account_exposure
from apps.orders.marks import PositionMarks
from apps.orders.money import newest_transaction_at, save_equity, save_transactions
from apps.orders.protections import RestingProtections, resting_protections, sync_protections
from apps.orders.record import record_event
from apps.orders.result import (
    ClosedPosition,
    positions_without_excursion,
    save_excursion,
    save_fills,
    save_missing_results,
)
from apps.orders.review import ApprovedPlan, NotWaiting, approve, approved_plans, expire_reviews, reject
from apps.orders.risk import AccountRisk, ResetUnsigned, account_risk, lost_today, reset_daily_loss
from apps.orders.values import round_book, round_report

__all__ = [
    "AccountExposure",
    "AccountRisk",
    "AlreadyAsked",
    "ApprovedPlan",
    "CloseUnsigned",
    "ClosedPosition",
    "NotClean",
    "NotOurs",
    "NotWaiting",
    "NothingToClose",
    "PositionMarks",
    "ResetUnsigned",
    "RestingProtections",
    "WaitingRest",
    "account_exposure",
    "account_limits",
    "account_lock",
    "account_risk",
    "active_symbols",
    "approve",
    "approved_plans",
    "book",
    "books",
    "claim",
    "claim_rest",
    "expire_reviews",
    "is_approved",
    "lock_for_update",
    "lost_today",
    "newest_transaction_at",
    "open_requests",
    "orders_by_id",
    "positions_without_excursion",
    "record_event",
    "reject",
    "request_close",
    "request_close_all",
    "reset_daily_loss",
    "resting_protections",
    "round_book",
    "round_report",
    "save_equity",
    "save_excursion",
    "save_fills",
    "save_missing_results",
    "save_transactions",
    "symbols_entered_since",
    "symbols_missing_fills",
    "sync_protections",
    "took_another",
    "waiting_rests",
]
