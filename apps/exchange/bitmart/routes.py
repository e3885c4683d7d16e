"""BitMart's routes and the limit of each, as its documentation counts them.

Counted per address, key or account: we have one of each. Private reads take the key alone; everything that
changes something is a signed POST.
"""

from __future__ import annotations

from apps.exchange.transport.rate import Route

PRIVATE_PATHS = "/contract/private/"

SERVER_TIME = Route("/system/time", 10, window_s=1)
DETAILS = Route("/contract/public/details", 12)
DEPTH = Route("/contract/public/depth", 12)
MARKET_TRADE = Route("/contract/public/market-trade", 12)
KLINE = Route("/contract/public/kline", 12, bulk=True)
KLINE_NOW = Route("/contract/public/kline", 12, bulk=True, prompt=True)
MARKPRICE_KLINE = Route("/contract/public/markprice-kline", 12)
LEVERAGE_BRACKET = Route("/contract/public/leverage-bracket", 12)

ASSETS = Route("/contract/private/assets-detail", 12)
FEE_RATE = Route("/contract/private/trade-fee-rate", 2)
ORDER = Route("/contract/private/order", 50)
ORDER_HISTORY = Route("/contract/private/order-history", 6)
OPEN_ORDERS = Route("/contract/private/get-open-orders", 50)
PLAN_ORDERS = Route("/contract/private/current-plan-order", 50)
POSITIONS = Route("/contract/private/position-v2", 6)
TRADES = Route("/contract/private/trades", 6)
TRANSACTIONS = Route("/contract/private/transaction-history", 6)
GET_POSITION_MODE = Route("/contract/private/get-position-mode", 2)

SUBMIT_ORDER = Route("/contract/private/submit-order", 24)
CANCEL_ORDER = Route("/contract/private/cancel-order", 40)
CANCEL_ALL_AFTER = Route("/contract/private/cancel-all-after", 4)
SUBMIT_LEVERAGE = Route("/contract/private/submit-leverage", 24)
SET_POSITION_MODE = Route("/contract/private/set-position-mode", 2)
SUBMIT_PROTECTION = Route("/contract/private/submit-tp-sl-order", 24)
CANCEL_PLAN_ORDER = Route("/contract/private/cancel-plan-order", 40)
