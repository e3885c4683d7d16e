"""The exchange's numbers and words for sides, states, kinds and modes."""

from __future__ import annotations

APPROVAL, LIVE, OVER = 1, 2, 4
"""States of orders and plans: being checked, live, filled or cancelled."""

OPEN_LONG, CLOSE_SHORT, CLOSE_LONG, OPEN_SHORT = 1, 2, 3, 4
"""Sides in hedge mode. In one-way mode: buy, buy reduce-only, sell reduce-only, sell."""

BUYS = (OPEN_LONG, CLOSE_SHORT)
OPENS = (OPEN_LONG, OPEN_SHORT)

GTC, FOK, IOC, MAKER_ONLY = 1, 2, 3, 4

LONG, SHORT = 1, 2
"""Position types."""

LAST_PRICE, FAIR_PRICE = 1, 2
RISES, FALLS = 1, 2
"""Price ways: a plan fires when the price rises to its trigger, or falls to it."""

QUANTITY, WHOLE = 1, 2
"""Plan categories of stops and targets."""

TRANSFER, REALISED, FUNDING, COMMISSION, CLEARANCE = 1, 2, 3, 4, 5
"""Flow types of the ledger."""

HEDGE, ONE_WAY = "hedge_mode", "one_way_mode"
