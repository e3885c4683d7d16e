"""The judge: every rule over the exchange's books, and our own books compared with them.

1. A decision has at most one opening order at a time for each of its tranches, and opens no more than it
   planned; every opening order with our prefix belongs to one.
2. A position of ours is not without its stop for more than 10 s (what counts: unprotected.py).
3. No opening order is accepted more than 1 s after a kill switch was committed.
4. In the end no stop or target of ours without a position, no entry that rests, no lock.
5. What was done by hand stays: no position of theirs closed or protected by us, no order of theirs cancelled.
6. Fills, filled sizes and results in our books are the exchange's.
"""

from __future__ import annotations

from benchmarks.campaign import books, foreign, orders, unprotected
from benchmarks.campaign.history import History, OurBooks, Violation
from benchmarks.trading.tables import Tables


def judge(history: History, ours: OurBooks) -> list[Violation]:
    """Return everything that broke a rule, rule by rule."""
    return [
        *orders.decision_violations(history, ours),
        *unprotected.violations(history),
        *orders.switch_violations(history),
        *orders.leftovers(history, ours),
        *foreign.violations(history),
        *books.violations(history, ours),
    ]


def read_our_books(tables: Tables) -> OurBooks:
    """Return the rows that are compared; raises psycopg.Error."""
    return OurBooks(
        orders=tables.rows(
            "SELECT symbol, client_order_id, decision_key, status::text, filled, tranche, attempt, "
            "(SELECT size FROM order_plan WHERE id = plan_id) AS planned FROM exchange_order"
        ),
        fills=tables.rows("SELECT trade_id, symbol, size, price, fee, position_id FROM fill"),
        positions=tables.rows(
            "SELECT id, symbol, side::text, status::text, decision_key, size, realised_usdt, opened_at, "
            "closed_at FROM position ORDER BY id"
        ),
        locks=tables.rows(
            "SELECT symbol_lock.symbol, decision_key, locked_at FROM symbol_lock "
            "JOIN order_plan ON plan_id = order_plan.id WHERE released_at IS NULL"
        ),
    )
