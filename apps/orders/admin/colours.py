"""The colour of each status: green is done, amber waits for somebody, red is wrong."""

from __future__ import annotations

SIDES = {"long": "success", "short": "danger"}
ORDERS = {
    "PLANNED": "info",
    "PENDING_REVIEW": "warning",
    "APPROVED": "info",
    "SUBMITTING": "info",
    "UNKNOWN": "danger",
    "NEVER_ARRIVED": "warning",
    "SUBMITTED": "info",
    "PARTIALLY_FILLED": "info",
    "FILLED": "success",
    "CANCELLED": "warning",
    "EXPIRED": "warning",
    "REJECTED": "danger",
    "DENIED": "warning",
}
POSITIONS = {
    "OPENING": "info",
    "NAKED": "danger",
    "PROTECTED": "success",
    "CLOSING": "warning",
    "CLOSED": "info",
    "FOREIGN": "warning",
}
PROTECTIONS = {
    "PLACING": "info",
    "ACTIVE": "success",
    "REPLACING": "info",
    "TRIGGERED": "success",
    "CANCELLED": "info",
    "LOST": "danger",
}
