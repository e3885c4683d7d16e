"""The orders room's door. Every call names its account, and nothing here sends anything."""

from apps.orders.book import book, watched
from apps.orders.claims import account_lock, claim, is_approved
from apps.orders.exposure import exposures, lost_today, symbol_states, unplanned
from apps.orders.locks import NotClean
from apps.orders.money import save_equity, save_transactions
from apps.orders.plans import Approved, approved
from apps.orders.protections import seen
from apps.orders.record import store
from apps.orders.review import NotWaiting, approve, expire, reject

__all__ = [
    "Approved",
    "NotClean",
    "NotWaiting",
    "account_lock",
    "approve",
    "approved",
    "book",
    "claim",
    "expire",
    "exposures",
    "is_approved",
    "lost_today",
    "reject",
    "save_equity",
    "save_transactions",
    "seen",
    "store",
    "symbol_states",
    "unplanned",
    "watched",
]
