"""The orders room's door. Every call names its account, and nothing here sends anything."""

from apps.orders.book import book, unsettled, watched
from apps.orders.claims import account_lock, claim, is_approved
from apps.orders.excursions import Held, measured, unmeasured
from apps.orders.exposure import Stored, stored
from apps.orders.fills import catch_up
from apps.orders.locks import NotClean, hold
from apps.orders.money import newest_transaction_at, save_equity, save_transactions
from apps.orders.plans import Approved, approved
from apps.orders.protections import seen
from apps.orders.record import store
from apps.orders.review import NotWaiting, approve, expire, reject
from apps.orders.values import as_stored

__all__ = [
    "Approved",
    "Held",
    "NotClean",
    "NotWaiting",
    "Stored",
    "account_lock",
    "approve",
    "approved",
    "as_stored",
    "book",
    "catch_up",
    "claim",
    "expire",
    "hold",
    "is_approved",
    "measured",
    "newest_transaction_at",
    "reject",
    "save_equity",
    "save_transactions",
    "seen",
    "store",
    "stored",
    "unmeasured",
    "unsettled",
    "watched",
]
