"""BitMart's private routes: reads take the key alone, everything that changes something is a signed POST."""

from __future__ import annotations

from apps.exchange.bitmart.routes import Route

ASSETS = Route("/contract/private/assets-detail", 12, keyed=True)
FEE_RATE = Route("/contract/private/trade-fee-rate", 2, keyed=True)
ORDER = Route("/contract/private/order", 50, keyed=True)
ORDER_HISTORY = Route("/contract/private/order-history", 6, keyed=True)
OPEN_ORDERS = Route("/contract/private/get-open-orders", 50, keyed=True)
PLAN_ORDERS = Route("/contract/private/current-plan-order", 50, keyed=True)
POSITIONS = Route("/contract/private/position-v2", 6, keyed=True)
TRADES = Route("/contract/private/trades", 6, keyed=True)
TRANSACTIONS = Route("/contract/private/transaction-history", 6, keyed=True)
GET_POSITION_MODE = Route("/contract/private/get-position-mode", 2, keyed=True)

SUBMIT_ORDER = Route("/contract/private/submit-order", 24)
CANCEL_ORDER = Route("/contract/private/cancel-order", 40)
CANCEL_ALL_AFTER = Route("/contract/private/cancel-all-after", 4)
SUBMIT_LEVERAGE = Route("/contract/private/submit-leverage", 24)
SET_POSITION_MODE = Route("/contract/private/set-position-mode", 2)
SUBMIT_PROTECTION = Route("/contract/private/submit-tp-sl-order", 24)
CANCEL_PLAN_ORDER = Route("/contract/private/cancel-plan-order", 40)

PRIVATE = (
    ASSETS,
    FEE_RATE,
    ORDER,
    ORDER_HISTORY,
    OPEN_ORDERS,
    PLAN_ORDERS,
    POSITIONS,
    TRADES,
    TRANSACTIONS,
    GET_POSITION_MODE,
    SUBMIT_ORDER,
    CANCEL_ORDER,
    CANCEL_ALL_AFTER,
    SUBMIT_LEVERAGE,
    SET_POSITION_MODE,
    SUBMIT_PROTECTION,
    CANCEL_PLAN_ORDER,
)
